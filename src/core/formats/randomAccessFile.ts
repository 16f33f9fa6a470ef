/** @file Synchronous reads at any offset of a file that may be larger than memory, in pieces, with the file's name in every error. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { TuneError } from '../../shared/errors.ts';

/** No single read and no scratch buffer is larger than this. */
export const readChunkBytes = 16 * 1024 * 1024;

/** An open file of known size. Holds a file descriptor until `close`. */
export class RandomAccessFile {
  readonly path: string;
  readonly bytes: number;
  private descriptor: number | undefined;

  private constructor(path: string, descriptor: number, bytes: number) {
    this.path = path;
    this.descriptor = descriptor;
    this.bytes = bytes;
  }

  /** @throws TuneError `model-not-found` when the file is missing, `model-invalid` when it is not a readable file. */
  static open(path: string): RandomAccessFile {
    let descriptor: number;
    try {
      descriptor = openSync(path, 'r');
    } catch (error) {
      throw toOpenError(error, path);
    }
    try {
      const stat = fstatSync(descriptor);
      if (!stat.isFile()) {
        throw new TuneError('model-invalid', `${path}: expected a file, got a folder or a device`, {
          file: path,
          hint: 'Name the model file itself.',
        });
      }
      return new RandomAccessFile(path, descriptor, stat.size);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  /** `length` bytes from `offset` on. The caller has bounded `length` by what the file can hold. */
  read(offset: number, length: number): Uint8Array<ArrayBuffer> {
    this.checkRange(offset, length);
    const target = new Uint8Array(length);
    this.readInto(target, offset);
    return target;
  }

  /** Fills `target` with the bytes from `offset` on, at most `readChunkBytes` a read. */
  readInto(target: Uint8Array, offset: number): void {
    this.checkRange(offset, target.byteLength);
    if (this.descriptor === undefined) throw new TuneError('internal', `internal: ${this.path} was read after close`);
    let done = 0;
    while (done < target.byteLength) {
      const wanted = Math.min(readChunkBytes, target.byteLength - done);
      const got = readSync(this.descriptor, target, done, wanted, offset + done);
      if (got === 0) throw toTruncatedError(this.path, offset + target.byteLength, offset + done);
      done += got;
    }
  }

  close(): void {
    if (this.descriptor === undefined) return;
    closeSync(this.descriptor);
    this.descriptor = undefined;
  }

  private checkRange(offset: number, length: number): void {
    if (offset + length > this.bytes) throw toTruncatedError(this.path, offset + length, this.bytes);
  }
}

function toTruncatedError(path: string, expectedBytes: number, fileBytes: number): TuneError {
  return new TuneError(
    'model-invalid',
    `${path}: expected at least ${expectedBytes} bytes, got a file that ends after ${fileBytes}`,
    { file: path, hint: 'The file is cut short: download or copy it again.' },
  );
}

function toOpenError(error: unknown, path: string): TuneError {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new TuneError('model-not-found', `${path}: expected a model file, got nothing at that path`, {
      file: path,
      hint: 'Check the path; a file that was moved or deleted has to be put back.',
      cause: error,
    });
  }
  return new TuneError('model-invalid', `${path}: expected a readable file, got ${code ?? String(error)}`, {
    file: path,
    hint: 'Check that you may read the file and that not too many files are open.',
    cause: error,
  });
}
