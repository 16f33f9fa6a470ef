/**
 * @file What a teacher said of a run's rows, on disk: batch after batch is appended, so that a pass that was cut short goes
 * on behind its last whole batch, and rows are read back one by one. A row of n labels takes 8 n K bytes: its labels' top
 * tokens (int32 [n, K]), then their log-probabilities (float32 [n, K]). Memory holds one batch.
 */
import { closeSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { TuneError } from '../../../shared/errors.ts';
import { toWriteError } from '../../formats/stagedFile.ts';
import { countLabels, type EncodedRow, type PackedBatch, type TeacherTokens } from '../../text/packedBatch.ts';

export class TeacherCache {
  private readonly file: string;
  readonly topK: number;
  /** Where each row begins. */
  private readonly offsets = new Map<EncodedRow, number>();
  /** Where each batch ends. */
  private readonly ends: number[] = [];

  /** @param batches every batch that will be appended, in that order; no row is in two of them */
  constructor(file: string, topK: number, batches: Iterable<PackedBatch>) {
    this.file = file;
    this.topK = topK;
    let end = 0;
    for (const { rows } of batches) {
      for (const row of rows!) {
        this.offsets.set(row, end);
        end += this.countBytes(row);
      }
      this.ends.push(end);
    }
  }

  /** How many batches stand there whole. */
  countWhole(): number {
    const bytes = statSync(this.file, { throwIfNoEntry: false })?.size ?? 0;
    const firstMissing = this.ends.findIndex(end => end > bytes);
    return firstMissing < 0 ? this.ends.length : firstMissing;
  }

  /** Adds a batch behind the whole ones; on the disk when this returns. @throws TuneError `disk-full` | `not-writable` */
  append({ rows }: PackedBatch, { ids, logProbabilities }: TeacherTokens): void {
    const start = this.ends[this.countWhole() - 1] ?? 0;
    const pieces: Uint8Array[] = [];
    let at = 0;
    for (const row of rows!) {
      const next = at + countLabels(row) * this.topK;
      pieces.push(toBytes(ids.subarray(at, next)), toBytes(logProbabilities.subarray(at, next)));
      at = next;
    }
    try {
      mkdirSync(dirname(this.file), { recursive: true });
      const descriptor = openSync(this.file, start === 0 ? 'w' : 'r+');
      try {
        ftruncateSync(descriptor, start);
        writeAll(descriptor, Buffer.concat(pieces), start);
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
    } catch (error) {
      throw toWriteError(error, this.file);
    }
  }

  /** The batch with what the teacher said of its labels. @throws TuneError `run-invalid` when the file is gone or cut */
  complete(batch: PackedBatch): PackedBatch {
    const { topK } = this;
    const ids = new Int32Array(batch.labels.length * topK);
    const logProbabilities = new Float32Array(ids.length);
    const descriptor = this.open();
    try {
      let at = 0;
      for (const row of batch.rows!) {
        const next = at + countLabels(row) * topK;
        const offset = this.offsets.get(row)!;
        this.readInto(descriptor, toBytes(ids.subarray(at, next)), offset);
        this.readInto(descriptor, toBytes(logProbabilities.subarray(at, next)), offset + 4 * (next - at));
        at = next;
      }
    } finally {
      closeSync(descriptor);
    }
    return { ...batch, teacher: { topK, ids, logProbabilities } };
  }

  /** What the teacher said of a row's labels; undefined for a row that no step and no evaluation reads. @throws as `complete` */
  readRow(row: EncodedRow): TeacherTokens | undefined {
    const offset = this.offsets.get(row);
    if (offset === undefined) return undefined;
    const { topK } = this;
    const ids = new Int32Array(countLabels(row) * topK);
    const logProbabilities = new Float32Array(ids.length);
    const descriptor = this.open();
    try {
      this.readInto(descriptor, toBytes(ids), offset);
      this.readInto(descriptor, toBytes(logProbabilities), offset + ids.byteLength);
    } finally {
      closeSync(descriptor);
    }
    return { topK, ids, logProbabilities };
  }

  private countBytes(row: EncodedRow): number {
    return 8 * countLabels(row) * this.topK;
  }

  private open(): number {
    try {
      return openSync(this.file, 'r');
    } catch (error) {
      throw this.damaged((error as NodeJS.ErrnoException).code ?? 'an error', error);
    }
  }

  private readInto(descriptor: number, target: Uint8Array, offset: number): void {
    for (let done = 0; done < target.length; ) {
      const got = readSync(descriptor, target, done, target.length - done, offset + done);
      if (got === 0) throw this.damaged('fewer bytes');
      done += got;
    }
  }

  private damaged(got: string, cause?: unknown): TuneError {
    return new TuneError('run-invalid', `${this.file}: expected what the teacher said of every row, got ${got}`, {
      file: this.file,
      hint: 'It was removed or cut while the run was on: resume the run, and the teacher is asked again.',
      cause,
    });
  }
}

function toBytes({ buffer, byteOffset, byteLength }: Int32Array | Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function writeAll(descriptor: number, bytes: Uint8Array, start: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(descriptor, bytes, done, bytes.length - done, start + done);
  }
}
