/**
 * @file What cleaning left -> a new JSONL file that reads back as the same rows, a report beside it that makes it again, and where
 * wanted a file of the rows that went. Sources are never written to.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import { type CleaningRecipe, cleaningRecipeSchema, cleaningStepSchema } from '../../../shared/cleaning.ts';
import { TuneError } from '../../../shared/errors.ts';
import { mappingSchema } from '../../../shared/recipe.ts';
import { writeStagedFile } from '../../formats/stagedFile.ts';
import type { Example, Message } from '../example.ts';
import type { Dataset } from '../readDataset.ts';
import { writeMark } from '../synthetic.ts';
import type { CleanedExamples } from './cleanExamples.ts';

const pieceCharacters = 1 << 20;

export const cleaningReportSchema = z.strictObject({
  schemaVersion: z.literal(1),
  source: z.strictObject({ path: z.string(), sha256: z.string(), files: z.number().int() }),
  mapping: mappingSchema,
  recipe: cleaningRecipeSchema,
  /** Rows read; those that could not be are left out. */
  rows: z.number().int(),
  brokenRows: z.number().int(),
  steps: z.array(
    z.strictObject({
      step: cleaningStepSchema,
      rowsBefore: z.number().int(),
      rowsAfter: z.number().int(),
      removed: z.number().int(),
      changed: z.number().int(),
    }),
  ),
  output: z.strictObject({ path: z.string(), sha256: z.string(), rows: z.number().int() }),
});
export type CleaningReport = z.infer<typeof cleaningReportSchema>;

export interface CleanedTarget {
  readonly out: string;
  /** Where rows that went are written, one a line with the step and the reason. */
  readonly removed?: string | undefined;
  /** Whether a file that stands there may be replaced; never a source. */
  readonly replaces: boolean;
}

export function reportPath(out: string): string {
  return `${out}.report.json`;
}

/** @throws TuneError `usage` where a file stands or two would be one, `disk-full` | `not-writable`; nothing half-written is left */
export async function writeCleaned(
  { out, removed, replaces }: CleanedTarget,
  dataset: Dataset,
  recipe: CleaningRecipe,
  cleaned: CleanedExamples,
): Promise<CleaningReport> {
  const targets = [out, reportPath(out), ...(removed === undefined ? [] : [removed])];
  requireApart(targets);
  for (const target of targets) await requireFree(target, dataset, replaces);
  const report: CleaningReport = {
    schemaVersion: 1,
    source: { path: dataset.file, sha256: dataset.sha256, files: dataset.files.length },
    mapping: dataset.mapping.mapping,
    recipe,
    rows: dataset.rows,
    brokenRows: dataset.brokenRows,
    steps: cleaned.steps.map(({ step, rowsBefore, rowsAfter, removed, changed }) => ({
      step,
      rowsBefore,
      rowsAfter,
      removed: removed.length,
      changed: changed.length,
    })),
    output: { path: out, sha256: writeRows(out, cleaned.examples.map(toRow)), rows: cleaned.examples.length },
  };
  if (removed !== undefined) writeRows(removed, cleaned.steps.flatMap(listRemoved));
  writeStagedFile(reportPath(out), [Buffer.from(`${JSON.stringify(report, null, 2)}\n`)]);
  return report;
}

/** The second would overwrite the first. */
function requireApart(targets: readonly string[]): void {
  const paths = targets.map(target => resolve(target));
  const twice = paths.find((path, i) => paths.indexOf(path) !== i);
  if (twice === undefined) return;
  throw new TuneError('usage', `${twice}: expected a file each for rows, report and removed rows, got one for two`, {
    file: twice,
    hint: 'Name another file for the removed rows.',
  });
}

async function requireFree(target: string, { files }: Dataset, replaces: boolean): Promise<void> {
  if (!existsSync(target)) return;
  const real = await realpath(target);
  const sources = await Promise.all(files.map(file => realpath(file)));
  if (sources.includes(real)) {
    throw new TuneError('usage', `${target}: expected a new file, got a source of the dataset`, {
      file: target,
      hint: 'Sources are never changed: name another file.',
    });
  }
  if (replaces) return;
  throw new TuneError('usage', `${target}: expected a new file, got one that exists`, {
    file: target,
    hint: 'Name another, or say --replace.',
  });
}

/** The sha256 of what was written. */
export function writeRows(path: string, rows: readonly unknown[]): string {
  const hash = createHash('sha256');
  const pieces = function* (): Generator<Uint8Array> {
    let held = '';
    for (const [index, row] of rows.entries()) {
      held += `${JSON.stringify(row)}\n`;
      if (held.length < pieceCharacters && index < rows.length - 1) continue;
      const bytes = Buffer.from(held);
      hash.update(bytes);
      yield bytes;
      held = '';
    }
  };
  writeStagedFile(path, pieces());
  return hash.digest('hex');
}

/** OpenAI's chat format, TRL's preferences, or text: whatever the source was. */
export function toRow(example: Example): Record<string, unknown> {
  return { ...toContent(example), ...writeMark(example) };
}

function toContent(example: Example): Record<string, unknown> {
  const list = (messages: readonly Message[]) =>
    messages.map(({ role, content, isTrained }) =>
      isTrained === false ? { role, content, weight: 0 } : { role, content },
    );
  switch (example.kind) {
    case 'text':
      return { text: example.text };
    case 'chat':
      return { messages: list(example.messages) };
    case 'preference':
      return { prompt: list(example.prompt), chosen: list(example.chosen), rejected: list(example.rejected) };
  }
}

function listRemoved({ step, removed }: CleanedExamples['steps'][number]): unknown[] {
  return removed.map(({ example, reason }) => ({ step: step.step, reason, ...example.origin, row: toRow(example) }));
}
