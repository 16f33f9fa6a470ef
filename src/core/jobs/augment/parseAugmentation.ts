/** @file A recipe as text (`paraphrase:perRow=2,synonyms:share=0.1`) -> the recipe, checked. */
import {
  type AugmentationMethod,
  type AugmentationRecipe,
  augmentationHelp,
  augmentationMethodNames,
  augmentationMethodSchema,
} from '../../../shared/augmentation.ts';
import { TuneError } from '../../../shared/errors.ts';

/** @throws TuneError `usage` naming the method and what it takes */
export function parseAugmentation(text: string): AugmentationRecipe {
  const methods = text.split(',').map(part => part.trim());
  const parsed = methods.filter(part => part !== '').map(parseMethod);
  if (parsed.length > 0) return { methods: parsed };
  throw new TuneError('usage', `recipe: expected some of ${augmentationMethodNames.join(', ')}, got nothing`);
}

function parseMethod(part: string): AugmentationMethod {
  const [name = '', ...settings] = part.split(':');
  const known = augmentationMethodNames.find(method => method === name);
  if (known === undefined) {
    throw new TuneError('usage', `recipe: expected some of ${augmentationMethodNames.join(', ')}, got "${name}"`, {
      hint: 'Methods stand behind each other with commas, settings behind colons: paraphrase:perRow=2,synonyms:share=0.1',
    });
  }
  const values = Object.fromEntries(
    settings.map(setting => {
      const [key = '', value = ''] = setting.split(/=(.*)/s);
      const isText = key === 'thesaurus' || key === 'language' || value === '' || Number.isNaN(Number(value));
      return [key, isText ? value : Number(value)];
    }),
  );
  const parsed = augmentationMethodSchema.safeParse({ method: known, ...values });
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new TuneError(
    'usage',
    `method ${part}: expected settings as described, got ${issue?.path.join('.') || 'others'}: ${issue?.message}`,
    { hint: augmentationHelp[known] },
  );
}
