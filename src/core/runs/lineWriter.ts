/** @file Rows -> lines appended to metrics.jsonl and samples.jsonl; a line torn by a kill is closed before the next one. */
import { closeSync, existsSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { toWriteError } from '../formats/stagedFile.ts';

export class LineWriter {
  private readonly path: string;
  private descriptor: number | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** @throws TuneError `disk-full` | `not-writable` */
  append(row: unknown): void {
    try {
      this.descriptor ??= openAtLineStart(this.path);
      writeSync(this.descriptor, `${JSON.stringify(row)}\n`);
    } catch (error) {
      throw toWriteError(error, this.path);
    }
  }

  /** Makes the lines durable; to be called before a checkpoint of the same step is committed. */
  sync(): void {
    if (this.descriptor !== undefined) fsyncSync(this.descriptor);
  }

  close(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
  }
}

function openAtLineStart(path: string): number {
  const isTorn = existsSync(path) && !endsWithNewline(path);
  const descriptor = openSync(path, 'a', 0o644);
  if (isTorn) writeSync(descriptor, '\n');
  return descriptor;
}

function endsWithNewline(path: string): boolean {
  const descriptor = openSync(path, 'r');
  try {
    const { size } = fstatSync(descriptor);
    if (size === 0) return true;
    const last = new Uint8Array(1);
    readSync(descriptor, last, 0, 1, size - 1);
    return last[0] === 0x0a;
  } finally {
    closeSync(descriptor);
  }
}
