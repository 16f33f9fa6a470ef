/**
 * @file Optuna's journal file: lines appended under a lock that Python's JournalFileBackend honours too (a symbolic link
 * beside the file, or an exclusive file where links are not allowed), and read to the last whole line.
 */
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { isAbsolute } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TuneError } from '../../shared/errors.ts';
import { toWriteError } from '../formats/stagedFile.ts';
import { type JournalOperation, parseOperation, printOperation } from './journalLines.ts';

/** As in Optuna: a lock that nobody renewed for so long was left behind by a process that died. */
const graceMs = 30_000;
const longestWaitMs = 1_000;
const newline = 0x0a;

export class JournalFile {
  private readonly path: string;
  private readBytes = 0;

  /** @param path absolute: the link of the lock names it, and a relative one makes Python wait for ever */
  constructor(path: string) {
    if (!isAbsolute(path)) throw new Error(`journal: expected an absolute path, got ${path}`);
    this.path = path;
    closeSync(openSync(path, 'a', 0o644));
  }

  /** What was appended since the last call, by whomever. @throws TuneError `run-invalid` */
  readNew(): JournalOperation[] {
    const descriptor = openSync(this.path, 'r');
    try {
      const bytes = Buffer.alloc(statSync(this.path).size - this.readBytes);
      const got = readSync(descriptor, bytes, 0, bytes.length, this.readBytes);
      const end = bytes.subarray(0, got).lastIndexOf(newline) + 1;
      this.readBytes += end;
      const lines = bytes.toString('utf8', 0, end).split('\n').slice(0, -1);
      return lines.map(line => {
        const operation = parseOperation(line);
        if (operation !== undefined) return operation;
        throw new TuneError(
          'run-invalid',
          `${this.path}: expected a line of Optuna's journal, got ${line.slice(0, 80)}`,
          {
            file: this.path,
            hint: 'The journal of this search is damaged; its trials are ordinary runs and stand.',
          },
        );
      });
    } finally {
      closeSync(descriptor);
    }
  }

  /** @throws TuneError `disk-full` | `not-writable` */
  async append(operations: readonly JournalOperation[]): Promise<void> {
    const lock = await this.lock();
    try {
      this.write(operations.map(operation => `${printOperation(operation)}\n`).join(''));
    } catch (error) {
      throw toWriteError(error, this.path);
    } finally {
      unlock(lock);
    }
  }

  /** What a writer left half-written when it died is cut off first: the next line would fuse with it. */
  private write(text: string): void {
    const descriptor = openSync(this.path, 'r+');
    try {
      const { size } = statSync(this.path);
      const end = findLastLineEnd(descriptor, size);
      if (end < size) ftruncateSync(descriptor, end);
      writeSync(descriptor, text, end);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }

  private async lock(): Promise<string> {
    const lock = `${this.path}.lock`;
    let seen = '';
    let seenForMs = 0;
    for (let waitMs = 1; ; waitMs = Math.min(2 * waitMs, longestWaitMs)) {
      if (tryLock(this.path, lock)) return lock;
      const found = lstatSync(lock, { throwIfNoEntry: false });
      const identity = found === undefined ? '' : `${found.ino}:${found.mtimeMs}`;
      seenForMs = identity === seen ? seenForMs + waitMs : 0;
      seen = identity;
      if (seenForMs > graceMs) unlock(lock);
      await sleep(waitMs);
    }
  }
}

function tryLock(target: string, lock: string): boolean {
  try {
    symlinkSync(target, lock);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (code !== 'EPERM' && code !== 'ENOSYS') throw toWriteError(error, lock);
  }
  try {
    closeSync(openSync(lock, 'wx'));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw toWriteError(error, lock);
  }
}

/** Renamed away first: of two that break a lock only one succeeds. */
function unlock(lock: string): void {
  const aside = `${lock}${randomUUID()}.rename`;
  try {
    renameSync(lock, aside);
    rmSync(aside, { force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw toWriteError(error, lock);
  }
}

function findLastLineEnd(descriptor: number, size: number): number {
  const chunk = Buffer.alloc(4096);
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - chunk.length);
    const got = readSync(descriptor, chunk, 0, end - start, start);
    const at = chunk.subarray(0, got).lastIndexOf(newline);
    if (at >= 0) return start + at + 1;
    end = start;
  }
  return 0;
}
