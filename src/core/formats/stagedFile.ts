/**
 * @file Pieces of bytes -> a file that appears whole or not at all: written under a temporary name beside its place, synced,
 * then renamed. A failure removes the temporary file and keeps whatever stood there before.
 */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { TuneError } from '../../shared/errors.ts';

/** A single write of more than 2 GiB fails; smaller ones also keep a slow disk responsive. */
const writeChunkBytes = 16 * 1024 * 1024;

/** The calls that touch the disk, so that a full one can be rehearsed. */
export interface StagedFileSystem {
  readonly openSync: (path: string, flags: string, mode: number) => number;
  readonly writeSync: (descriptor: number, bytes: Uint8Array, offset: number, length: number) => number;
  readonly fsyncSync: (descriptor: number) => void;
  readonly closeSync: (descriptor: number) => void;
  readonly renameSync: (from: string, to: string) => void;
}

const nodeFileSystem: StagedFileSystem = { openSync, writeSync, fsyncSync, closeSync, renameSync };

/** Replaces `path` by `pieces`, written in order. @throws TuneError `disk-full` | `not-writable` */
export function writeStagedFile(
  path: string,
  pieces: Iterable<Uint8Array>,
  fileSystem: StagedFileSystem = nodeFileSystem,
): void {
  const staged = `${path}.${process.pid}.tmp`;
  let descriptor: number | undefined;
  try {
    descriptor = fileSystem.openSync(staged, 'w', 0o644);
    for (const piece of pieces) writePiece(descriptor, piece, fileSystem);
    fileSystem.fsyncSync(descriptor);
    fileSystem.closeSync(descriptor);
    descriptor = undefined;
    fileSystem.renameSync(staged, path);
  } catch (error) {
    if (descriptor !== undefined) fileSystem.closeSync(descriptor);
    rmSync(staged, { force: true });
    throw toWriteError(error, path);
  }
  syncFolder(dirname(path));
}

/** Makes renames in `folder` durable, where the platform can. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The TuneError for a failed write to `path`; anything that is not the file system's is handed back as it is. */
export function toWriteError(error: unknown, path: string): unknown {
  if (error instanceof TuneError) return error;
  const code = (error as NodeJS.ErrnoException).code;
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return new TuneError('disk-full', `${path}: expected room on the disk, got ${code}`, {
        file: path,
        hint: 'Free some space or choose another folder, then start again; nothing half-written was left.',
        cause: error,
      });
    case 'ENAMETOOLONG':
      return new TuneError('not-writable', `${path}: expected a path that this system takes, got one too long`, {
        file: path,
        hint: 'Choose a folder with a shorter path.',
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EISDIR':
    case 'ENOTEMPTY':
      return new TuneError('not-writable', `${path}: expected a place that can be written, got ${code}`, {
        file: path,
        hint: 'Choose a folder that exists and that you may write to.',
        cause: error,
      });
    default:
      return error;
  }
}

/** Writes all of `piece`, at most so much at a time as a slow disk can be interrupted in. */
export function writePiece(
  descriptor: number,
  piece: Uint8Array,
  fileSystem: Pick<StagedFileSystem, 'writeSync'> = nodeFileSystem,
): void {
  let done = 0;
  while (done < piece.byteLength) {
    const length = Math.min(writeChunkBytes, piece.byteLength - done);
    done += fileSystem.writeSync(descriptor, piece, done, length);
  }
}
