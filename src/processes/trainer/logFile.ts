/**
 * @file log.txt of a run: what this process says, and what native libraries write to standard output and error, which are
 * turned into the same file. Rotated by size into log.1.txt by copying and cutting, because the open descriptors stay.
 */
import { closeSync, copyFileSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { toWriteError } from '../../core/formats/stagedFile.ts';
import { runNames } from '../../shared/runFolder.ts';

const maxLogBytes = 4 * 1024 * 1024;

export class LogFile {
  private readonly path: string;
  private readonly descriptor: number;
  private readonly maxBytes: number;

  /** @throws TuneError `disk-full` | `not-writable` */
  constructor(run: string, maxBytes = maxLogBytes) {
    this.path = join(run, runNames.log);
    try {
      this.descriptor = openSync(this.path, 'a', 0o644);
    } catch (error) {
      throw toWriteError(error, this.path);
    }
    this.maxBytes = maxBytes;
  }

  /** From here on standard output and error of the whole process go here too. Not on Windows, which cannot do that. */
  takeStandardStreams(): void {
    if (process.platform !== 'win32') redirectStandardStreams(this.path);
  }

  close(): void {
    closeSync(this.descriptor);
  }

  /** Never throws: a run does not end because its log cannot be written. */
  write(text: string): void {
    const lines = text.replace(/\n+$/, '').split('\n');
    try {
      writeSync(this.descriptor, lines.map(line => `${new Date().toISOString()} ${line}\n`).join(''));
      this.rotate();
    } catch (error) {
      this.lastProblem = error;
    }
  }

  /** Why the log could not be written, for the error of a run that fails as well. */
  lastProblem: unknown;

  private rotate(): void {
    if (fstatSync(this.descriptor).size <= this.maxBytes) return;
    copyFileSync(this.path, this.path.replace(/\.txt$/, '.1.txt'));
    ftruncateSync(this.descriptor, 0);
  }
}

/** A file opened right after a descriptor was closed gets its number; done before any other thread runs. */
function redirectStandardStreams(path: string): void {
  for (const stream of [1, 2]) {
    closeSync(stream);
    const reopened = openSync(path, 'a', 0o644);
    if (reopened !== stream) closeSync(reopened);
  }
}
