/** @file What was read and how it was split -> `datasets/<sha256>/`, whole or not at all, shared by every run that used the same. */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { TuneError } from '../../../shared/errors.ts';
import { storeNames } from '../../../shared/runFolder.ts';
import { syncFolder, toWriteError, writeStagedFile } from '../../formats/stagedFile.ts';
import type { Example, Message } from '../example.ts';
import type { Dataset } from '../readDataset.ts';
import { hashSnapshotFolder } from './readDatasetSnapshot.ts';
import { type SnapshotReport, type SnapshotRow, snapshotId, snapshotNames } from './snapshotFiles.ts';
import type { Split } from './splitExamples.ts';

const pieceCharacters = 1 << 20;

/** Problems kept in the report. */
const maxProblems = 100;

/**
 * The id (and folder name) of the snapshot. `root` is the `.tuning-fork` folder; an equal snapshot that stands there is kept.
 * @throws TuneError `disk-full` | `not-writable`; nothing half-written is left.
 */
export function writeDatasetSnapshot(root: string, dataset: Dataset, split: Split): string {
  const folder = join(root, storeNames.datasets);
  const staged = join(folder, `.staged-${process.pid}-${randomUUID()}`);
  try {
    makeStagingFolder(folder, staged);
    const id = snapshotId({
      examples: writeHashed(join(staged, snapshotNames.examples), serializeRows(root, dataset.examples)),
      split: writeHashed(join(staged, snapshotNames.split), [toJson({ schemaVersion: 1, ...split })]),
      report: writeHashed(join(staged, snapshotNames.report), [toJson(makeReport(root, dataset))]),
    });
    moveIntoPlace(staged, join(folder, id), id);
    syncFolder(folder);
    return id;
  } catch (error) {
    if (existsSync(staged)) rmSync(staged, { recursive: true, force: true });
    throw toWriteError(error, folder);
  }
}

/** Makes the folder to write in, and removes those of processes that ended before they were done. */
function makeStagingFolder(folder: string, staged: string): void {
  mkdirSync(staged, { recursive: true });
  for (const name of readdirSync(folder)) {
    const pid = /^\.staged-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/** Asks without sending a signal; a process of another user counts as alive. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** An equal folder stays; one of the same name that was damaged is replaced. */
function moveIntoPlace(staged: string, target: string, id: string): void {
  if (existsSync(target)) {
    if (isIntact(target, id)) {
      rmSync(staged, { recursive: true, force: true });
      return;
    }
    rmSync(target, { recursive: true, force: true });
  }
  try {
    renameSync(staged, target);
  } catch (error) {
    // Another run may have put the same snapshot there in between.
    if (!isIntact(target, id)) throw error;
    rmSync(staged, { recursive: true, force: true });
  }
}

function isIntact(folder: string, id: string): boolean {
  try {
    return hashSnapshotFolder(folder) === id;
  } catch (error) {
    if (error instanceof TuneError) return false;
    throw error;
  }
}

function writeHashed(path: string, pieces: Iterable<Uint8Array>): string {
  const hash = createHash('sha256');
  const hashed = function* (): Generator<Uint8Array> {
    for (const piece of pieces) {
      hash.update(piece);
      yield piece;
    }
  };
  writeStagedFile(path, hashed());
  return hash.digest('hex');
}

function* serializeRows(root: string, examples: readonly Example[]): Generator<Uint8Array> {
  let held = '';
  for (const [row, example] of examples.entries()) {
    const { file, line } = example.origin;
    const origin = { row, file: toStoredPath(root, file), line };
    held += `${JSON.stringify({ ...origin, ...serializeContent(example) })}\n`;
    if (held.length >= pieceCharacters) {
      yield Buffer.from(held);
      held = '';
    }
  }
  yield Buffer.from(held);
}

function serializeContent(example: Example): Omit<SnapshotRow, 'row' | 'file' | 'line'> {
  const list = (messages: readonly Message[]) =>
    messages.map(({ role, content, isTrained }) =>
      isTrained === false ? { role, content, isTrained } : { role, content },
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

function makeReport(root: string, dataset: Dataset): SnapshotReport {
  const { mapping, isChosen, reason } = dataset.mapping;
  const file = toStoredPath(root, dataset.file);
  return {
    schemaVersion: 1,
    file,
    fileBytes: dataset.fileBytes,
    sha256: dataset.sha256,
    format: dataset.format,
    encoding: dataset.encoding,
    mapping,
    mappingChosen: isChosen,
    mappingReason: reason,
    rows: dataset.rows,
    usableRows: dataset.usableRows,
    brokenRows: dataset.brokenRows,
    errorCount: dataset.errorCount,
    warningCount: dataset.warningCount,
    problems: dataset.problems.slice(0, maxProblems).map(problem => {
      const stored = toStoredPath(root, problem.file);
      return { ...problem, file: stored, message: problem.message.replaceAll(problem.file, stored) };
    }),
  };
}

/** Relative, with slashes, inside the folder that holds `root`, so that a moved workspace keeps its snapshots; else absolute. */
function toStoredPath(root: string, file: string): string {
  const path = relative(dirname(resolve(root)), resolve(file));
  const isInside = path !== '' && !path.startsWith('..') && !isAbsolute(path);
  return isInside ? path.split(sep).join('/') : resolve(file);
}

function toJson(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}
