/**
 * @file The mark of rows that a program made (`"synthetic": true`, with a `source`) -> what it says; and the key by which a row
 * is known to come from a question that is held out.
 */
import { createHash } from 'node:crypto';
import type { Example, SyntheticMark } from './example.ts';
import { type Fields, isFields } from './mapping/rowReport.ts';
import { questionKey } from './normalizeQuestion.ts';

/** Undefined for rows of people. */
export function readMark(row: Fields): SyntheticMark | undefined {
  if (!Object.hasOwn(row, 'synthetic') || row.synthetic !== true) return undefined;
  const source = Object.hasOwn(row, 'source') && isFields(row.source) ? row.source : undefined;
  return { source };
}

/** The fields of the mark, for a row that is written. */
export function writeMark({ synthetic }: Example): Fields {
  if (synthetic === undefined) return {};
  return { synthetic: true, ...(synthetic.source === undefined ? {} : { source: synthetic.source }) };
}

/** Of a row's question, whatever its punctuation and case: stands in `source.question` of rows made from it. */
export function hashQuestion(example: Example): string {
  return createHash('sha256').update(questionKey(example)).digest('hex').slice(0, 32);
}

/** The questions that a synthetic row must not be trained beside when they are held out: its own and its source's. */
export function questionsOf(example: Example): string[] {
  const from = example.synthetic?.source?.question;
  return [hashQuestion(example), ...(typeof from === 'string' ? [from] : [])];
}
