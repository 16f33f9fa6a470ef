/**
 * @file One file of the Hub -> a blob in the cache: continued where an earlier attempt ended, checked against the checksum that
 * the Hub states, and only then given its name.
 */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { TuneError } from '../../../shared/errors.ts';
import { toWriteError } from '../../formats/stagedFile.ts';
import { describeFailure, type HubRequest, requestHub, toDownloadError } from './hubRequest.ts';

export interface HubFile {
  readonly name: string;
  readonly url: string;
  /** The blob's name: the sha256 of large files, the git hash of small ones. */
  readonly etag: string;
  readonly bytes: number;
}

const maxAttempts = 6;

/** Leaves the whole file at `path`. `onBytes` gets the bytes of this file that are there. @throws TuneError `download-failed` | `disk-full` */
export async function downloadBlob(
  request: HubRequest,
  file: HubFile,
  path: string,
  onBytes: (bytes: number) => void,
  retryDelayMs: number,
): Promise<void> {
  const partial = `${path}.incomplete`;
  await mkdir(dirname(path), { recursive: true }).catch((error: unknown) => {
    throw toWriteError(error, path);
  });
  if ((await countBytes(partial)) > file.bytes) await rm(partial, { force: true });
  let failures = 0;
  for (;;) {
    const before = await countBytes(partial);
    try {
      if (before < file.bytes || file.bytes === 0) await appendRest(request, file, partial, before, onBytes);
      break;
    } catch (error) {
      request.signal?.throwIfAborted();
      if (!(error instanceof TuneError) || error.code !== 'download-failed') throw error;
      // Attempts that brought something do not count: a long download over a poor line may break often.
      failures = (await countBytes(partial)) > before ? 1 : failures + 1;
      if (failures >= maxAttempts) throw error;
      await wait(retryDelayMs * 2 ** failures, undefined, { signal: request.signal });
    }
  }
  await checkContent(request, file, partial);
  await rename(partial, path);
}

async function appendRest(
  request: HubRequest,
  file: HubFile,
  partial: string,
  present: number,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const headers: Record<string, string> = present > 0 ? { range: `bytes=${present}-` } : {};
  const { response, abort } = await requestHub(request, file.url, { headers });
  const isContinued = response.status === 206 && startsAt(response, present);
  if (response.status === 416 || (response.status === 206 && !isContinued)) {
    abort.abort();
    await rm(partial, { force: true });
    throw toDownloadError(request, `another part of ${file.name} than asked for`);
  }
  const handle = await open(partial, isContinued ? 'a' : 'w').catch((error: unknown) => {
    throw toWriteError(error, partial);
  });
  try {
    await writeBody(request, file, response, abort, handle, isContinued ? present : 0, onBytes);
  } finally {
    abort.abort();
    await handle.close();
  }
}

async function writeBody(
  request: HubRequest,
  file: HubFile,
  response: Response,
  abort: AbortController,
  handle: FileHandle,
  present: number,
  onBytes: (bytes: number) => void,
): Promise<void> {
  let done = present;
  let timer: NodeJS.Timeout | undefined;
  const watch = () => {
    clearTimeout(timer);
    timer = setTimeout(() => abort.abort(new Error('nothing more came')), request.idleTimeoutMs);
  };
  watch();
  try {
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      done += chunk.byteLength;
      if (done > file.bytes) throw toDownloadError(request, `more than the ${file.bytes} bytes of ${file.name}`);
      await writeChunk(handle, chunk, file, request);
      onBytes(done);
      watch();
    }
  } catch (error) {
    request.signal?.throwIfAborted();
    if (error instanceof TuneError) throw error;
    throw toDownloadError(request, describeFailure(error), error);
  } finally {
    clearTimeout(timer);
  }
  if (done < file.bytes) throw toDownloadError(request, `${done} of the ${file.bytes} bytes of ${file.name}`);
}

async function writeChunk(
  handle: FileHandle,
  chunk: Uint8Array,
  file: HubFile,
  { repository }: HubRequest,
): Promise<void> {
  try {
    let written = 0;
    while (written < chunk.byteLength) {
      written += (await handle.write(chunk, written, chunk.byteLength - written)).bytesWritten;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw toWriteError(error, file.name);
    throw new TuneError(
      'disk-full',
      `${repository}: expected room for the ${file.bytes} bytes of ${file.name}, got ENOSPC`,
      {
        hint: 'Free some space or choose another Hub cache folder; what was downloaded so far is kept and continued.',
        cause: error,
      },
    );
  }
}

/** Large files are named by their sha256, small ones by git's hash of a blob; other names cannot be checked. */
async function checkContent(request: HubRequest, file: HubFile, path: string): Promise<void> {
  const hash = startHash(file);
  if (!hash) return;
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  const digest = hash.digest('hex');
  if (digest === file.etag) return;
  await rm(path, { force: true });
  throw new TuneError(
    'download-failed',
    `${request.repository}: expected ${file.name} with checksum ${file.etag}, got ${digest}`,
    { hint: 'The damaged download was removed: start again. If it repeats, check proxy and mirror.' },
  );
}

function startHash({ etag, bytes }: HubFile): Hash | undefined {
  if (/^[0-9a-f]{64}$/.test(etag)) return createHash('sha256');
  if (/^[0-9a-f]{40}$/.test(etag)) return createHash('sha1').update(`blob ${bytes}\0`);
  return undefined;
}

function startsAt(response: Response, offset: number): boolean {
  return new RegExp(`^bytes ${offset}-`).test(response.headers.get('content-range') ?? '');
}

async function countBytes(path: string): Promise<number> {
  return stat(path).then(
    stats => stats.size,
    () => 0,
  );
}
