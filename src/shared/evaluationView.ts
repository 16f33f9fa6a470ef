/** @file What an evaluation's page shows beside its figures: rows that a filter leaves, and one row opened. */
import { z } from 'zod';

/** Which rows are listed: by how `candidate` does beside `opponent`, as token F1 against the reference. */
export const rowChoices = ['all', 'worse', 'better', 'same'] as const;
export type RowChoice = (typeof rowChoices)[number];

export const rowFilterSchema = z.strictObject({
  candidate: z.string(),
  opponent: z.string(),
  choice: z.enum(rowChoices),
  /** Of the first row shown. */
  offset: z.number().int().min(0),
});
export type RowFilter = z.infer<typeof rowFilterSchema>;

export const listedRowSchema = z.strictObject({
  row: z.number().int(),
  line: z.number().int(),
  question: z.string(),
  /** Token F1 by candidate; absent while it has not answered. */
  scores: z.record(z.string(), z.number()),
});
export type ListedRow = z.infer<typeof listedRowSchema>;

export const openedRowSchema = z.strictObject({
  row: z.number().int(),
  line: z.number().int(),
  question: z.string(),
  reference: z.string(),
  answers: z.array(
    z.strictObject({ candidate: z.string(), text: z.string(), end: z.enum(['end', 'length', 'refused']) }),
  ),
});
export type OpenedRow = z.infer<typeof openedRowSchema>;

export const evaluationRowsSchema = z.strictObject({
  filter: rowFilterSchema,
  rows: z.array(listedRowSchema),
  /** Rows that the filter leaves. */
  total: z.number().int(),
  opened: openedRowSchema.nullable(),
});
export type EvaluationRows = z.infer<typeof evaluationRowsSchema>;
