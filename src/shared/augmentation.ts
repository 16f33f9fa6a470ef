/** @file Augmentation as a recipe: methods with their settings, and what came of them. What a report keeps and a screen shows. */
import { z } from 'zod';

const perRow = z.number().int().min(1).max(20).default(1);
/** Which text of a row is written anew; running text has one alone. */
const part = z.enum(['question', 'answer']).default('question');

export const augmentationMethodSchema = z.discriminatedUnion('method', [
  z.strictObject({
    method: z.literal('synonyms'),
    perRow,
    part,
    /** Of the words, 0..1. */
    share: z.number().min(0.01).max(1).default(0.2),
    /** A file of words with their synonyms, or a folder of WordNet; empty: made by the teacher. */
    thesaurus: z.string().default(''),
    /** The most frequent words that a teacher is asked about. */
    words: z.number().int().min(1).max(20_000).default(400),
  }),
  z.strictObject({ method: z.literal('paraphrase'), perRow, part }),
  z.strictObject({
    method: z.literal('backTranslation'),
    part,
    /** Through which language, in words. */
    language: z.string().min(2).max(60).default('German'),
  }),
  z.strictObject({
    method: z.literal('questions'),
    perChunk: z.number().int().min(1).max(20).default(2),
    chunkTokens: z.number().int().min(32).max(100_000).default(1024),
    overlapTokens: z.number().int().min(0).max(50_000).default(200),
  }),
]);
export type AugmentationMethod = z.infer<typeof augmentationMethodSchema>;
export type AugmentationMethodName = AugmentationMethod['method'];

export const augmentationRecipeSchema = z.strictObject({ methods: z.array(augmentationMethodSchema).min(1).max(16) });
export type AugmentationRecipe = z.infer<typeof augmentationRecipeSchema>;

/** One sentence for each method, for help and screens. */
export const augmentationHelp: Readonly<Record<AugmentationMethodName, string>> = {
  synonyms:
    'Puts synonyms in place of some words; share=0.2, perRow=1, part=question, thesaurus=FILE (or a WordNet folder; else the teacher makes one), words=400.',
  paraphrase: 'The teacher says a text in other words; perRow=1, part=question or answer.',
  backTranslation: 'The teacher translates a text into another language and back; language=German, part=question.',
  questions:
    'The teacher writes questions with answers from documents; perChunk=2, chunkTokens=1024, overlapTokens=200.',
};
export const augmentationMethodNames = Object.keys(augmentationHelp) as AugmentationMethodName[];

/** Of everything that a method proposed, what became of it. */
export const augmentationCountsSchema = z.strictObject({
  /** Texts that were to be made. */
  tasks: z.number().int(),
  /** Left alone because the wanted number of rows, or the share of synthetic rows, was reached. */
  notNeeded: z.number().int(),
  /** The teacher gave no answer. */
  refused: z.number().int(),
  /** An answer that ended at the limit of tokens. */
  cut: z.number().int(),
  /** An answer that is not in the form that was asked for. */
  unreadable: z.number().int(),
  /** The text came back as it was. */
  unchanged: z.number().int(),
  /** New rows that ask or answer what is held out. */
  heldOutCopies: z.number().int(),
  duplicates: z.number().int(),
  nearDuplicates: z.number().int(),
  /** Rows over the number that was wanted. */
  surplus: z.number().int(),
  /** New rows in the file. */
  kept: z.number().int(),
});
export type AugmentationCounts = z.infer<typeof augmentationCountsSchema>;

/** Why a proposal came to nothing, or less than was asked. */
export const augmentationProblemSchema = z.strictObject({
  file: z.string(),
  line: z.number().int().nullable(),
  method: z.string(),
  code: z.enum(['refused', 'cut', 'unreadable']),
  message: z.string(),
});
export type AugmentationProblem = z.infer<typeof augmentationProblemSchema>;

/** A new row beside what it was made of. */
export interface AugmentedRow {
  method: AugmentationMethodName;
  file: string;
  line: number | null;
  before: string;
  question: string;
  answer: string;
}

export interface AugmentationResult {
  /** Null for a preview. */
  path: string | null;
  teacher: string | null;
  /** Rows of the dataset, all of which stand in the new file too unless new ones alone were asked for. */
  rows: number;
  /** Rows that could not be read and are left out. */
  brokenRows: number;
  counts: AugmentationCounts;
  /** Of the training rows of the new file, 0..1. */
  syntheticShare: number;
  /** Answers that an earlier attempt had got. */
  resumed: number;
  problems: AugmentationProblem[];
  /** The first new rows. */
  shown: AugmentedRow[];
}
