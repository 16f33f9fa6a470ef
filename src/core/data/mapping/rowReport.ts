/** @file Where a row's problems are written down while it is read, and the words for what was found instead. */
import type { RowProblemCode } from '../datasetReport.ts';

export interface RowReport {
  error(code: RowProblemCode, what: string, fix: string): void;
  warn(code: RowProblemCode, what: string, fix: string): void;
}

/** A row or message as parsed; names come from the file, so they are looked up with `Object.hasOwn`. */
export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a value is, in words that fit an error message. */
export function describeType(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? 'text' : `a ${typeof value}`;
}
