/**
 * @file Files -> a folder that appears whole or not at all. Written beside its place as `<name>.tmp`, every file synced,
 * then renamed. Replacing an existing folder passes through `<name>.new` (complete) and `<name>.old` (still complete),
 * so that a process killed at any moment leaves a complete version on disk; `recoverFolder` puts it in place.
 */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TuneError } from '../../shared/errors.ts';
import { makeFolders } from '../formats/makeFolders.ts';
import { type StagedFileSystem, toWriteError } from '../formats/stagedFile.ts';

/** The calls that touch the disk, so that a full one and a kill can be rehearsed. */
export interface FolderFileSystem extends StagedFileSystem {
  readonly makeFolder: (path: string) => void;
  readonly removeTree: (path: string) => void;
}

export const nodeFolderFileSystem: FolderFileSystem = {
  openSync,
  writeSync,
  fsyncSync,
  closeSync,
  renameSync,
  makeFolder: path => makeFolders(path),
  removeTree: path => rmSync(path, { recursive: true, force: true }),
};

export interface FileToWrite {
  /** Within the folder; no path. */
  readonly name: string;
  /** In order; each at most what one allocation may hold. */
  readonly pieces: Iterable<Uint8Array>;
}

export interface FileDigest {
  readonly bytes: number;
  readonly sha256: string;
}

/** A single write stays small, so that a slow disk can be interrupted. */
const writeChunkBytes = 16 * 1024 * 1024;

/**
 * Makes `folder`, which must not exist, from `files` and then `last`, which is given what was written.
 * @throws TuneError `disk-full` | `not-writable`; nothing is left then
 */
export function createFolder(
  folder: string,
  files: Iterable<FileToWrite>,
  last: (written: ReadonlyMap<string, FileDigest>) => readonly FileToWrite[],
  fileSystem: FolderFileSystem,
): void {
  const staged = `${folder}.tmp`;
  guard(folder, staged, fileSystem, () => {
    stage(staged, files, last, fileSystem);
    fileSystem.renameSync(staged, folder);
    syncFolder(dirname(folder), fileSystem);
  });
}

/** Makes `folder` from `files`, in place of the one that may stand there. @throws TuneError `disk-full` | `not-writable`; the old one stands then */
export function replaceFolder(folder: string, files: Iterable<FileToWrite>, fileSystem: FolderFileSystem): void {
  const staged = `${folder}.tmp`;
  guard(folder, staged, fileSystem, () => {
    recoverFolder(folder, fileSystem);
    stage(staged, files, () => [], fileSystem);
    fileSystem.renameSync(staged, `${folder}.new`);
    recoverFolder(folder, fileSystem);
  });
}

/** Finishes what a killed `replaceFolder` or `createFolder` began: afterwards only `folder` itself is left, complete, if it ever was. */
export function recoverFolder(folder: string, fileSystem: FolderFileSystem): void {
  const [staged, complete, old] = [`${folder}.tmp`, `${folder}.new`, `${folder}.old`];
  if (existsSync(complete)) {
    if (existsSync(folder)) {
      fileSystem.removeTree(old);
      fileSystem.renameSync(folder, old);
    }
    fileSystem.renameSync(complete, folder);
    syncFolder(dirname(folder), fileSystem);
  }
  if (existsSync(old)) fileSystem.removeTree(old);
  if (existsSync(staged)) fileSystem.removeTree(staged);
}

/** Where the newest complete version of `folder` lies, for a reader that must not write; undefined when there is none. */
export function findCompleteFolder(folder: string): string | undefined {
  return [`${folder}.new`, folder, `${folder}.old`].find(candidate => existsSync(candidate));
}

function stage(
  staged: string,
  files: Iterable<FileToWrite>,
  last: (written: ReadonlyMap<string, FileDigest>) => readonly FileToWrite[],
  fileSystem: FolderFileSystem,
): void {
  fileSystem.removeTree(staged);
  fileSystem.makeFolder(staged);
  const written = new Map<string, FileDigest>();
  for (const file of files) written.set(file.name, writeFile(staged, file, fileSystem));
  for (const file of last(written)) writeFile(staged, file, fileSystem);
  syncFolder(staged, fileSystem);
}

function writeFile(folder: string, { name, pieces }: FileToWrite, fileSystem: FolderFileSystem): FileDigest {
  const hash = createHash('sha256');
  const descriptor = fileSystem.openSync(join(folder, name), 'w', 0o644);
  let bytes = 0;
  try {
    for (const piece of pieces) {
      hash.update(piece);
      bytes += piece.byteLength;
      let done = 0;
      while (done < piece.byteLength) {
        done += fileSystem.writeSync(descriptor, piece, done, Math.min(writeChunkBytes, piece.byteLength - done));
      }
    }
    fileSystem.fsyncSync(descriptor);
  } finally {
    fileSystem.closeSync(descriptor);
  }
  return { bytes, sha256: hash.digest('hex') };
}

function syncFolder(folder: string, fileSystem: FolderFileSystem): void {
  if (process.platform === 'win32') return;
  const descriptor = fileSystem.openSync(folder, 'r', 0);
  try {
    fileSystem.fsyncSync(descriptor);
  } finally {
    fileSystem.closeSync(descriptor);
  }
}

/** Turns a failed write into an error for people and takes away what it left. */
function guard(folder: string, staged: string, fileSystem: FolderFileSystem, write: () => void): void {
  try {
    write();
  } catch (error) {
    const known = toWriteError(error, folder);
    try {
      if (existsSync(staged)) fileSystem.removeTree(staged);
    } catch (cleanupError) {
      throw withLeftover(known, staged, cleanupError);
    }
    throw known;
  }
}

function withLeftover(error: unknown, staged: string, cause: unknown): unknown {
  if (!(error instanceof TuneError)) return error;
  const hint = `${error.hint ?? ''} ${staged} could not be removed.`.trim();
  return new TuneError(error.code, error.message, { hint, file: error.file, cause });
}
