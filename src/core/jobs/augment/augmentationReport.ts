/** @file Everything that an augmentation was made from and what came of it -> a report beside the new file that makes it again. */
import { z } from 'zod';
import {
  augmentationCountsSchema,
  augmentationProblemSchema,
  augmentationRecipeSchema,
} from '../../../shared/augmentation.ts';
import { TuneError } from '../../../shared/errors.ts';
import { mappingSchema } from '../../../shared/recipe.ts';

/** What a person chose, apart from the files and the teacher. */
export const augmentationChoiceSchema = z.strictObject({
  recipe: augmentationRecipeSchema,
  /** New rows wanted; null for all that come. */
  rows: z.number().int().min(1).nullable(),
  /** Of the training rows of the new file. */
  maxSyntheticShare: z.number().min(0).max(1),
  /** From which on two texts are one. */
  similarity: z.number().min(0.5).max(1),
  /** Of the order in which rows are taken and words chosen. */
  seed: z.number().int(),
  split: z.strictObject({ seed: z.number(), evalRatio: z.number(), testRatio: z.number() }),
  decoding: z.strictObject({ maxTokens: z.number(), temperature: z.number(), topP: z.number(), seed: z.number() }),
});
export type AugmentationChoice = z.infer<typeof augmentationChoiceSchema>;

export const augmentationReportSchema = z.strictObject({
  schemaVersion: z.literal(1),
  dataset: z
    .strictObject({
      path: z.string(),
      sha256: z.string(),
      rows: z.number().int(),
      brokenRows: z.number().int().default(0),
      encoding: z.string().optional(),
    })
    .nullable(),
  mapping: mappingSchema.nullable(),
  documents: z.array(z.strictObject({ path: z.string(), sha256: z.string(), passages: z.number().int() })),
  ...augmentationChoiceSchema.shape,
  teacher: z.string().nullable(),
  /** Whose tokens chunks are measured in. */
  tokenizer: z.string(),
  counts: augmentationCountsSchema,
  syntheticShare: z.number(),
  problems: z.array(augmentationProblemSchema),
  output: z.strictObject({ path: z.string(), sha256: z.string(), rows: z.number().int() }),
});
export type AugmentationReport = z.infer<typeof augmentationReportSchema>;

const partialChoice = augmentationChoiceSchema.partial().required({ recipe: true });

/** What was chosen, out of a report; or a recipe by itself. @throws TuneError `usage` */
export function readChoice(file: string, text: string): z.infer<typeof partialChoice> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new TuneError(
      'usage',
      `${file}: expected a recipe in JSON, got text that is not (${(error as Error).message})`,
      {
        file,
      },
    );
  }
  const report = augmentationReportSchema.safeParse(value);
  if (report.success) return partialChoice.strip().parse(report.data);
  const recipe = augmentationRecipeSchema.safeParse(value);
  if (recipe.success) return { recipe: recipe.data };
  const issue = recipe.error.issues[0];
  throw new TuneError(
    'usage',
    `${file}: expected {"methods": [{"method": ...}, ...]} or a report of augment, got ${issue?.path.join('.')}: ${issue?.message}`,
    { file },
  );
}
