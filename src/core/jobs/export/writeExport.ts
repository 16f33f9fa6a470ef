/**
 * @file Files -> a folder that appears whole, checked, or not at all: written beside its place some pieces at a time, so that
 * others get their turn and a cancel comes through, handed to a check, and renamed only when that is content.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statfsSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { TuneError } from '../../../shared/errors.ts';
import { formatBytes } from '../../../shared/formatBytes.ts';
import { makeFolders } from '../../formats/makeFolders.ts';
import { syncFolder, toWriteError, writePiece } from '../../formats/stagedFile.ts';
import type { FileToWrite } from '../../train/stagedFolder.ts';

/** Left free for whatever else writes to the disk meanwhile. */
const spareBytes = 64 * 2 ** 20;

export interface ExportWriting {
  /** What all files together have, about. */
  readonly totalBytes: number;
  readonly onBytes: (bytes: number) => void;
  readonly signal?: AbortSignal | undefined;
  /** Free bytes of the disk that holds a folder. */
  readonly countFree?: (folder: string) => number;
}

/**
 * Makes `folder`, which must be new or empty.
 * @param check looks at the written folder before it is put in its place, and gives the last files
 * @throws TuneError `not-writable` | `disk-full`, and what `check` throws; nothing is left then
 */
export async function writeExport(
  folder: string,
  files: Iterable<FileToWrite>,
  check: (staged: string) => Promise<readonly FileToWrite[]>,
  writing: ExportWriting,
): Promise<number> {
  requireEmpty(folder);
  requireRoom(folder, writing);
  const staged = `${folder}.tmp`;
  let written = 0;
  const write = async (file: FileToWrite): Promise<void> => {
    written += await writeFile(join(staged, file.name), file.pieces, writing, written);
  };
  try {
    rmSync(staged, { recursive: true, force: true });
    makeFolders(staged);
    for (const file of files) await write(file);
    for (const file of await check(staged)) await write(file);
    writing.signal?.throwIfAborted();
    syncFolder(staged);
    if (existsSync(folder)) rmdirSync(folder);
    renameSync(staged, folder);
  } catch (error) {
    rmSync(staged, { recursive: true, force: true });
    throw toWriteError(error, folder);
  }
  syncFolder(dirname(folder));
  return written;
}

async function writeFile(
  path: string,
  pieces: Iterable<Uint8Array>,
  { onBytes, signal }: ExportWriting,
  before: number,
): Promise<number> {
  makeFolders(dirname(path));
  const descriptor = openSync(path, 'w', path.endsWith('.sh') ? 0o755 : 0o644);
  let bytes = 0;
  try {
    for (const piece of pieces) {
      writePiece(descriptor, piece);
      bytes += piece.byteLength;
      onBytes(before + bytes);
      await setImmediate();
      signal?.throwIfAborted();
    }
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  return bytes;
}

/** @throws TuneError `not-writable` */
export function requireEmpty(folder: string): void {
  if (!existsSync(folder)) return;
  try {
    if (readdirSync(folder).length === 0) return;
  } catch (error) {
    throw toWriteError(error, folder);
  }
  throw new TuneError('not-writable', `${folder}: expected an empty or new folder, got one with files`, {
    file: folder,
    hint: 'Name another folder, or empty this one.',
  });
}

function requireRoom(folder: string, { totalBytes, countFree = countFreeDisk }: ExportWriting): void {
  let existing = folder;
  while (!existsSync(existing)) existing = dirname(existing);
  const free = countFree(existing);
  if (totalBytes + spareBytes <= free) return;
  throw new TuneError(
    'disk-full',
    `${folder}: expected ${formatBytes(totalBytes + spareBytes)} of free disk, got ${formatBytes(free)}`,
    { file: folder, hint: 'Free some space, choose another folder, or a smaller type of weights.' },
  );
}

function countFreeDisk(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
