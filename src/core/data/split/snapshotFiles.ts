/** @file The files of `datasets/<sha256>/` as types: what is written there, and what a reader may believe. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { datasetFormats } from '../../../shared/datasetFormats.ts';
import { mappingSchema } from '../../../shared/recipe.ts';
import { splitNames } from '../../../shared/runFolder.ts';

export const snapshotNames = { examples: 'examples.jsonl', split: 'split.json', report: 'report.json' } as const;

const roleSchema = z.enum(['system', 'user', 'assistant', 'tool']);

const messagesSchema = z.array(
  z.strictObject({ role: roleSchema, content: z.string(), isTrained: z.literal(false).optional() }),
);

/** One line of examples.jsonl. `file` is relative to the folder that holds `.tuning-fork`, or absolute outside it. */
export const snapshotRowSchema = z.union([
  z.strictObject({
    row: z.number().int().min(0),
    file: z.string(),
    line: z.number().int().min(1),
    messages: messagesSchema,
  }),
  z.strictObject({
    row: z.number().int().min(0),
    file: z.string(),
    line: z.number().int().min(1),
    prompt: messagesSchema,
    chosen: messagesSchema,
    rejected: messagesSchema,
  }),
  z.strictObject({
    row: z.number().int().min(0),
    file: z.string(),
    line: z.number().int().min(1),
    text: z.string(),
  }),
]);
export type SnapshotRow = z.infer<typeof snapshotRowSchema>;

export const snapshotSplitSchema = z.strictObject({
  schemaVersion: z.literal(1),
  seed: z.number(),
  evalRatio: z.number(),
  testRatio: z.number(),
  groups: z.number().int(),
  counts: z.strictObject({ train: z.number().int(), heldOut: z.number().int(), test: z.number().int() }),
  rows: z.array(z.enum(splitNames)),
});

const problemSchema = z.object({
  severity: z.enum(['error', 'warning']),
  file: z.string(),
  line: z.number().int(),
  code: z.string(),
  message: z.string(),
  fix: z.string(),
});

/** What was read, apart from the rows. */
export const snapshotReportSchema = z.strictObject({
  schemaVersion: z.literal(1),
  /** As `file` of the rows. */
  file: z.string(),
  fileBytes: z.number(),
  /** Of the source file's bytes. */
  sha256: z.string(),
  format: z.enum(datasetFormats),
  encoding: z.string(),
  mapping: mappingSchema,
  mappingChosen: z.boolean(),
  mappingReason: z.string(),
  rows: z.number().int(),
  usableRows: z.number().int(),
  brokenRows: z.number().int(),
  errorCount: z.number().int(),
  warningCount: z.number().int(),
  problems: z.array(problemSchema),
});
export type SnapshotReport = z.infer<typeof snapshotReportSchema>;

export type SnapshotHashes = Readonly<Record<keyof typeof snapshotNames, string>>;

/** The folder's name: the hash of its three files' hashes. */
export function snapshotId({ examples, split, report }: SnapshotHashes): string {
  return createHash('sha256').update(`${examples}\n${split}\n${report}\n`).digest('hex');
}
