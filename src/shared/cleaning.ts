/** @file The cleaning of a dataset as a recipe: steps in order, each with its settings. What a report keeps and a run may ask for. */
import { z } from 'zod';

export const personalDataKinds = ['email', 'phone', 'card', 'iban', 'ip', 'nationalId'] as const;
export type PersonalDataKind = (typeof personalDataKinds)[number];

const similarity = z.number().min(0.5).max(1);

export const cleaningStepSchema = z.discriminatedUnion('step', [
  z.strictObject({ step: z.literal('normalizeText') }),
  z.strictObject({ step: z.literal('fixMojibake') }),
  z.strictObject({ step: z.literal('stripHtml') }),
  z.strictObject({
    step: z.literal('maskPersonalData'),
    kinds: z
      .array(z.enum(personalDataKinds))
      .min(1)
      .default([...personalDataKinds]),
  }),
  z.strictObject({
    step: z.literal('dropPersonalData'),
    kinds: z
      .array(z.enum(personalDataKinds))
      .min(1)
      .default([...personalDataKinds]),
  }),
  z.strictObject({ step: z.literal('fixRoles') }),
  z.strictObject({ step: z.literal('dropMojibake') }),
  z.strictObject({ step: z.literal('dropEqualAnswers') }),
  z.strictObject({ step: z.literal('dropDuplicates') }),
  z.strictObject({ step: z.literal('dropNearDuplicates'), similarity: similarity.default(0.8) }),
  z.strictObject({ step: z.literal('dropConflicts'), keep: z.enum(['none', 'first', 'longest']).default('none') }),
  z.strictObject({ step: z.literal('dropLeaked'), similarity: similarity.default(0.8) }),
  z.strictObject({ step: z.literal('dropShort'), minCharacters: z.number().int().min(1).default(2) }),
  z.strictObject({ step: z.literal('dropLong'), maxCharacters: z.number().int().min(1).default(20_000) }),
  z.strictObject({ step: z.literal('dropOverContext'), contextTokens: z.number().int().min(8).default(2048) }),
  z.strictObject({ step: z.literal('keepLanguage'), language: z.string().min(2).max(8).default('main') }),
]);
export type CleaningStep = z.infer<typeof cleaningStepSchema>;
export type CleaningStepName = CleaningStep['step'];

export const cleaningRecipeSchema = z.strictObject({ steps: z.array(cleaningStepSchema).max(64) });
export type CleaningRecipe = z.infer<typeof cleaningRecipeSchema>;

/** One sentence for each step, for help and screens. */
export const cleaningStepHelp: Readonly<Record<CleaningStepName, string>> = {
  normalizeText: 'Composed Unicode, plain line ends, no control characters, no space at the end of lines.',
  fixMojibake: 'Mends UTF-8 that was read as Windows-1252 ("cafÃ©" becomes "café").',
  stripHtml: 'Takes HTML tags and entities out of texts; code in backticks stays.',
  maskPersonalData: 'Writes [EMAIL], [PHONE] ... in place of personal data; kinds=email+phone+card+iban+ip+nationalId.',
  dropPersonalData: 'Drops rows with personal data; kinds as above.',
  fixRoles:
    'Joins neighbouring messages of one role, moves system text to the start, drops what stands before the first question.',
  dropMojibake: 'Drops rows with characters that were lost when they were decoded.',
  dropEqualAnswers: 'Drops rows whose answer repeats the question.',
  dropDuplicates: 'Drops rows equal to an earlier one but for case, punctuation and space.',
  dropNearDuplicates: 'Drops rows nearly equal to an earlier one; similarity=0.8 (Jaccard of 5-grams, 0.5 to 1).',
  dropConflicts: 'Drops rows that answer one question differently; keep=none, first or longest.',
  dropLeaked: 'Drops rows nearly equal to one of the held-out dataset; similarity=0.8.',
  dropShort: 'Drops rows whose answer is shorter; minCharacters=2.',
  dropLong: 'Drops rows that are longer in all; maxCharacters=20000.',
  dropOverContext: 'Drops rows longer than the context in tokens of the model; contextTokens=2048.',
  keepLanguage: 'Drops rows in another language; language=main (the most frequent) or a code such as en.',
};
export const cleaningStepNames = Object.keys(cleaningStepHelp) as CleaningStepName[];

/** What suits nearly every dataset: mends what can be mended and drops what teaches nothing new. */
export const usualCleaning: CleaningRecipe = cleaningRecipeSchema.parse({
  steps: [
    { step: 'normalizeText' },
    { step: 'fixMojibake' },
    { step: 'stripHtml' },
    { step: 'fixRoles' },
    { step: 'dropEqualAnswers' },
    { step: 'dropDuplicates' },
    { step: 'dropNearDuplicates' },
  ],
});

/** For data of doubtful origin: also drops what cannot be mended, contradicts itself or stands among the held-out rows. */
export const strictCleaning: CleaningRecipe = cleaningRecipeSchema.parse({
  steps: [
    ...usualCleaning.steps.filter(({ step }) => step !== 'dropNearDuplicates'),
    { step: 'dropMojibake' },
    { step: 'dropShort' },
    { step: 'dropConflicts', keep: 'longest' },
    { step: 'dropNearDuplicates', similarity: 0.7 },
    { step: 'dropLeaked' },
  ],
});

/** What a search tries, by the names that its trials show. */
export const cleaningLevels: Readonly<Record<'off' | 'basic' | 'strict', CleaningRecipe>> = {
  off: { steps: [] },
  basic: usualCleaning,
  strict: strictCleaning,
};
export type CleaningLevel = keyof typeof cleaningLevels;

/** What a step did, and the first rows that it removed and changed. */
export interface CleaningStepResult {
  step: CleaningStepName;
  rowsBefore: number;
  rowsAfter: number;
  removed: number;
  changed: number;
  removedRows: { file: string; line: number; reason: string; text: string }[];
  changedRows: { file: string; line: number; before: string; after: string }[];
}

export interface CleaningResult {
  rowsBefore: number;
  rowsAfter: number;
  /** Rows that cannot be read, which no step sees. */
  brokenRows: number;
  steps: CleaningStepResult[];
  /** The new file, where one was asked for. */
  written: { path: string; report: string } | null;
}
