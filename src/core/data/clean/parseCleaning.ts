/** @file A recipe as text (`fixMojibake,dropNearDuplicates:similarity=0.9`) or as a report's JSON -> the recipe, checked. */
import {
  type CleaningRecipe,
  cleaningRecipeSchema,
  cleaningStepHelp,
  cleaningStepNames,
  cleaningStepSchema,
} from '../../../shared/cleaning.ts';
import { TuneError } from '../../../shared/errors.ts';

/** @throws TuneError `usage` naming the step and what it takes */
export function parseCleaning(text: string): CleaningRecipe {
  const steps = text.split(',').map(part => part.trim());
  return { steps: steps.filter(part => part !== '').map(parseStep) };
}

function parseStep(part: string): CleaningRecipe['steps'][number] {
  const [name = '', ...settings] = part.split(':');
  const known = cleaningStepNames.find(step => step === name);
  if (known === undefined) {
    throw new TuneError('usage', `steps: expected some of ${cleaningStepNames.join(', ')}, got "${name}"`, {
      hint: 'Steps stand behind each other with commas, settings behind colons: dropNearDuplicates:similarity=0.9',
    });
  }
  const values = Object.fromEntries(
    settings.map(setting => {
      const [key = '', value = ''] = setting.split(/=(.*)/s);
      return [
        key,
        key === 'kinds' ? value.split('+') : value !== '' && !Number.isNaN(Number(value)) ? Number(value) : value,
      ];
    }),
  );
  const parsed = cleaningStepSchema.safeParse({ step: known, ...values });
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new TuneError(
    'usage',
    `step ${part}: expected settings as described, got ${issue?.path.join('.') || 'others'}: ${issue?.message}`,
    {
      hint: cleaningStepHelp[known],
    },
  );
}

/** The recipe inside a report, or by itself. @throws TuneError `usage` */
export function readCleaning(file: string, text: string): CleaningRecipe {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new TuneError(
      'usage',
      `${file}: expected a cleaning recipe in JSON, got text that is not (${(error as Error).message})`,
      { file },
    );
  }
  const held = typeof value === 'object' && value !== null && 'recipe' in value ? value.recipe : value;
  const parsed = cleaningRecipeSchema.safeParse(held);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new TuneError(
    'usage',
    `${file}: expected {"steps": [{"step": ...}, ...]}, got ${issue?.path.join('.')}: ${issue?.message}`,
    { file },
  );
}
