/** @file `datasets/<sha256>/` -> the examples a run was trained on and their sides, verified against the folder's name. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { z } from 'zod';
import { TuneError } from '../../../shared/errors.ts';
import { type SplitName, storeNames } from '../../../shared/runFolder.ts';
import type { Example } from '../example.ts';
import { readUtf8 } from '../read/decodeText.ts';
import { readJsonLines } from '../read/readJsonLines.ts';
import {
  type SnapshotReport,
  snapshotId,
  snapshotNames,
  snapshotReportSchema,
  snapshotRowSchema,
  snapshotSplitSchema,
} from './snapshotFiles.ts';
import type { Split } from './splitExamples.ts';

export interface DatasetSnapshot {
  readonly id: string;
  readonly folder: string;
  /** The source file, absolute, where it stood when it was read. */
  readonly file: string;
  readonly report: SnapshotReport;
  readonly split: Split;
  /** Every row, in the order of the file; `split.rows` holds the side of each. */
  readonly examples: readonly Example[];
}

/**
 * The snapshot `id` under `root` (the `.tuning-fork` folder).
 * @throws TuneError `dataset-unreadable` when it is missing, `dataset-invalid` when it is not what its name says.
 */
export async function readDatasetSnapshot(root: string, id: string): Promise<DatasetSnapshot> {
  const folder = join(root, storeNames.datasets, id);
  if (!/^[0-9a-f]{64}$/.test(id)) {
    throw new TuneError(
      'dataset-invalid',
      `${folder}: expected a snapshot named by 64 hexadecimal digits, got "${id}"`,
    );
  }
  if (hashSnapshotFolder(folder) !== id) {
    throw damaged(folder, `expected the rows that hash to ${id}, got others`);
  }
  const report = readJson(join(folder, snapshotNames.report), snapshotReportSchema);
  const { schemaVersion: _, ...split } = readJson(join(folder, snapshotNames.split), snapshotSplitSchema);
  const base = dirname(resolve(root));
  const examples = await readExamples(join(folder, snapshotNames.examples), base);
  if (split.rows.length !== examples.length) {
    throw damaged(folder, `expected a side for each of ${examples.length} rows, got ${split.rows.length}`);
  }
  return { id, folder, file: resolve(base, report.file), report, split, examples };
}

/** The examples of one side, in the order of the file. */
export function examplesOf(snapshot: Pick<DatasetSnapshot, 'examples' | 'split'>, side: SplitName): Example[] {
  return snapshot.examples.filter((_, row) => snapshot.split.rows[row] === side);
}

/** The id that the files of a snapshot folder hash to. @throws TuneError `dataset-unreadable` */
export function hashSnapshotFolder(folder: string): string {
  const hash = (name: string) => hashFile(join(folder, name));
  return snapshotId({
    examples: hash(snapshotNames.examples),
    split: hash(snapshotNames.split),
    report: hash(snapshotNames.report),
  });
}

function hashFile(path: string): string {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(1 << 20);
  const descriptor = attempt(path, () => openSync(path, 'r'));
  try {
    for (;;) {
      const bytes = attempt(path, () => readSync(descriptor, buffer));
      if (bytes === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, bytes));
    }
  } finally {
    closeSync(descriptor);
  }
}

function attempt<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new TuneError('dataset-unreadable', `${path}: expected the rows a run was trained on, got ${code}`, {
      file: path,
      hint: 'The snapshot is gone or cannot be read: start a new run on the dataset.',
      cause: error,
    });
  }
}

function readJson<Schema extends z.ZodType>(path: string, schema: Schema): z.infer<Schema> {
  const text = attempt(path, () => readFileSync(path, 'utf8'));
  const checked = schema.safeParse(parse(path, text));
  if (checked.success) return checked.data;
  throw damaged(path, `expected a snapshot file of version 1, got ${checked.error.issues[0]?.message}`);
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw damaged(path, 'expected JSON, got text that is not', error);
  }
}

async function readExamples(path: string, base: string): Promise<Example[]> {
  const examples: Example[] = [];
  for await (const outcome of readJsonLines(path, readUtf8(path))) {
    if (outcome.kind === 'problem') throw damaged(path, outcome.problem.message);
    const checked = snapshotRowSchema.safeParse(outcome.value);
    if (!checked.success || checked.data.row !== examples.length) {
      throw damaged(path, `line ${outcome.line}: expected row ${examples.length} of the snapshot, got another`);
    }
    const { row: _, file, line, ...content } = checked.data;
    const origin = { file: resolve(base, file), line };
    if ('text' in content) examples.push({ kind: 'text', text: content.text, origin });
    else if ('chosen' in content) examples.push({ kind: 'preference', ...content, origin });
    else examples.push({ kind: 'chat', messages: content.messages, origin });
  }
  return examples;
}

function damaged(path: string, what: string, cause?: unknown): TuneError {
  return new TuneError('dataset-invalid', `${path}: ${what}`, {
    file: path,
    hint: 'The snapshot was changed after it was written: start a new run on the dataset.',
    cause,
  });
}
