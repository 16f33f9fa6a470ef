/** @file What a reader yields: a parsed row with its line, or why there is none. */
import type { RowProblem, RowProblemCode } from '../datasetReport.ts';

export type RecordOutcome =
  | { readonly kind: 'record'; readonly line: number; readonly value: unknown }
  | { readonly kind: 'problem'; readonly problem: RowProblem };

/** Longest line, JSON document or CSV record that is taken, in UTF-16 units. */
export const maxRecordCharacters = 64 * 1024 * 1024;
export const maxDocumentBytes = 256 * 1024 * 1024;

/** A row that could not be read. `what` reads `expected ..., got ...`. */
export function brokenRow(file: string, line: number, code: RowProblemCode, what: string, fix: string): RecordOutcome {
  return {
    kind: 'problem',
    problem: { severity: 'error', file, line, code, message: `${file}:${line}: ${what}`, fix },
  };
}
