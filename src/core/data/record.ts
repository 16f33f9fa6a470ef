/** @file What a reader yields: a parsed row with its line, or why there is none. */
import type { RowProblem } from './datasetReport.ts';

export type RecordOutcome =
  | { readonly kind: 'record'; readonly line: number; readonly value: unknown }
  | { readonly kind: 'problem'; readonly problem: RowProblem };

/** Longest line, JSON document or CSV record that is taken, in UTF-16 units. */
export const maxRecordCharacters = 64 * 1024 * 1024;
export const maxDocumentBytes = 256 * 1024 * 1024;
