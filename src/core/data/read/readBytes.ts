/** @file A file -> its bytes in chunks: cancellable, hashed on the way, unpacked where it is gzip. */
import type { Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { TuneError } from '../../../shared/errors.ts';

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined;
}

const chunkBytes = 1 << 20;

/**
 * The file as it is. A chunk is valid until the next is asked for. `digest`, when given, is fed every byte.
 * @throws TuneError `dataset-unreadable`; AbortError when cancelled
 */
export async function* readBytes(
  file: string,
  { signal, onProgress }: ReadOptions = {},
  digest?: Hash,
): AsyncGenerator<Buffer, void, undefined> {
  const handle = await openForReading(file);
  try {
    const { size } = await handle.stat();
    const buffer = Buffer.allocUnsafe(Math.max(1, Math.min(chunkBytes, size + 1)));
    for (let doneBytes = 0; ; ) {
      signal?.throwIfAborted();
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, doneBytes);
      if (bytesRead === 0) return;
      const bytes = buffer.subarray(0, bytesRead);
      digest?.update(bytes);
      doneBytes += bytesRead;
      onProgress?.(doneBytes, Math.max(size, doneBytes));
      yield bytes;
    }
  } finally {
    await handle.close();
  }
}

/** What was packed. @throws TuneError `dataset-unreadable` when the archive is damaged or cut off */
export async function* unpackGzip(
  file: string,
  packed: AsyncGenerator<Buffer>,
): AsyncGenerator<Buffer, void, undefined> {
  let failure: unknown;
  const copies = async function* (): AsyncGenerator<Buffer> {
    try {
      for await (const bytes of packed) yield Buffer.from(bytes);
    } catch (error) {
      failure = error;
      throw error;
    }
  };
  const source = Readable.from(copies(), { objectMode: true, highWaterMark: 1 });
  const gunzip = createGunzip({ chunkSize: chunkBytes });
  source.once('error', error => gunzip.destroy(error));
  try {
    for await (const bytes of source.pipe(gunzip)) yield bytes as Buffer;
  } catch (error) {
    if (failure !== undefined) throw failure;
    throw unreadable(
      file,
      `expected a whole gzip archive, got a damaged one (${(error as Error).message})`,
      'Copy or download it again, or pack it anew.',
      error,
    );
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

/** The first bytes, unpacked where the file is gzip, and the file's size. */
export async function readHead(file: string, headBytes: number): Promise<FileHead> {
  const handle = await openForReading(file);
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw unreadable(file, 'expected a file, got something else', 'Choose a dataset file.');
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(headBytes), 0, headBytes, 0);
    const bytes = buffer.subarray(0, bytesRead);
    const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
    if (!isGzip) return { fileBytes: stat.size, isGzip, bytes, isWhole: bytesRead === stat.size };
    return { fileBytes: stat.size, isGzip, ...(await unpackHead(file, headBytes)) };
  } finally {
    await handle.close();
  }
}

export interface FileHead {
  readonly fileBytes: number;
  readonly isGzip: boolean;
  readonly bytes: Buffer;
  /** Whether `bytes` are all there are. */
  readonly isWhole: boolean;
}

async function unpackHead(file: string, headBytes: number): Promise<Pick<FileHead, 'bytes' | 'isWhole'>> {
  const pieces: Buffer[] = [];
  let held = 0;
  for await (const bytes of unpackGzip(file, readBytes(file))) {
    pieces.push(bytes);
    held += bytes.length;
    if (held > headBytes) break;
  }
  return { bytes: Buffer.concat(pieces).subarray(0, headBytes), isWhole: held <= headBytes };
}

export async function openForReading(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'r');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const got = code === 'ENOENT' ? 'no such file' : code === 'EACCES' ? 'no permission to read it' : String(code);
    throw unreadable(file, `expected a readable file, got ${got}`, 'Check the path and its permissions.', error);
  }
}

export function unreadable(file: string, what: string, hint: string, cause?: unknown): TuneError {
  return new TuneError('dataset-unreadable', `${file}: ${what}`, { file, hint, cause });
}
