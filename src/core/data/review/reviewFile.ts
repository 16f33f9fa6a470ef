/**
 * @file The decisions on a dataset's rows <-> `<dataset>.review.jsonl` beside it. Every decision is a line and stays; lines are
 * sorted by row and time, so that what two branches add stands apart and git merges it. Where it did not, its conflict
 * markers are read over and both sides are kept, until the next decision writes the file anew without them.
 */
import { existsSync, readFileSync } from 'node:fs';
import { TuneError } from '../../../shared/errors.ts';
import { type ReviewLine, reviewLineSchema } from '../../../shared/review.ts';
import { writeStagedFile } from '../../formats/stagedFile.ts';
import { isPattern } from '../read/listDatasetFiles.ts';

export const reviewEnding = '.review.jsonl';

/** @throws TuneError `usage` for a pattern, beside which nothing can lie */
export function reviewPath(dataset: string): string {
  if (isPattern(dataset) && !existsSync(dataset)) {
    throw new TuneError('usage', `${dataset}: expected a file or folder to review, got a pattern`, {
      hint: 'Decisions lie beside the dataset: name the folder or one file.',
    });
  }
  return `${dataset.replace(/[/\\]+$/, '')}${reviewEnding}`;
}

/** All decisions, sorted; none where there is no file. @throws TuneError `dataset-invalid` with the line that is broken */
export function readReview(path: string): ReviewLine[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new TuneError('dataset-unreadable', `${path}: expected a readable file, got an error`, {
      file: path,
      cause: error,
    });
  }
  const lines = text.split(/\r?\n/).flatMap((line, index) => (isNoise(line) ? [] : [parseLine(path, line, index + 1)]));
  return sortLines(lines);
}

/** Adds decisions to those that stand in the file at this moment. @throws TuneError as readReview, `disk-full` | `not-writable` */
export function addDecisions(path: string, decisions: readonly ReviewLine[]): ReviewLine[] {
  const lines = sortLines([...readReview(path), ...decisions]);
  writeStagedFile(path, [Buffer.from(lines.map(line => `${toText(line)}\n`).join(''))]);
  return lines;
}

function isNoise(line: string): boolean {
  return line.trim() === '' || /^(<{7}|\|{7}|={7}|>{7})( |$)/.test(line);
}

function parseLine(path: string, text: string, line: number): ReviewLine {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw brokenLine(path, line, 'text that is not JSON', cause);
  }
  const parsed = reviewLineSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw brokenLine(path, line, `${issue?.path.join('.') || 'a line'}: ${issue?.message}`, parsed.error);
}

function brokenLine(path: string, line: number, got: string, cause: unknown): TuneError {
  return new TuneError('dataset-invalid', `${path}:${line}: expected a decision on a row, got ${got}`, {
    file: path,
    line,
    hint: 'Mend or delete the line. Each holds row, at, decision and reviewer.',
    cause,
  });
}

/** By row, time and reviewer; the same decision twice, as both sides of a merge have it, is one. */
function sortLines(lines: readonly ReviewLine[]): ReviewLine[] {
  const byText = new Map(lines.map(line => [toText(line), line]));
  return [...byText].sort(([a, x], [b, y]) => compareLines(x, y) || (a < b ? -1 : 1)).map(([, line]) => line);
}

function compareLines(a: ReviewLine, b: ReviewLine): number {
  if (a.row !== b.row) return a.row < b.row ? -1 : 1;
  return Date.parse(a.at) - Date.parse(b.at) || (a.reviewer < b.reviewer ? -1 : a.reviewer > b.reviewer ? 1 : 0);
}

/** Always in the same order of keys, so that equal decisions are equal lines. */
function toText({ row, at, decision, reviewer, note, edited }: ReviewLine): string {
  return JSON.stringify({ row, at, decision, reviewer, note, edited });
}
