/**
 * @file A model named by its Hub id -> its place in the Hub cache. A complete one is used as it is, without the network; else
 * access, files, licence and room are settled before the first large file starts.
 */
import { existsSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TuneError } from '../../../shared/errors.ts';
import type { HubSettings } from '../../../shared/hubSettings.ts';
import { downloadBlob, type HubFile } from './downloadBlob.ts';
import { HubCache, readShardNames } from './hubCache.ts';
import { type HubReference, locateHub } from './hubLocation.ts';
import { withHubLock } from './hubLock.ts';
import { chooseFirstFiles, requestModelInfo, weightIndex } from './hubModelInfo.ts';
import { type HubRequest, requestHub, toDownloadError } from './hubRequest.ts';

export interface HubPlan {
  readonly repository: string;
  readonly licence: string | undefined;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  readonly totalBytes: number;
}

export interface HubProgress {
  readonly repository: string;
  readonly file: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface HubDownloadOptions {
  readonly settings?: HubSettings | undefined;
  /** Said once, before the weights start: what comes, how large it is, under which licence. */
  readonly onPlan?: ((plan: HubPlan) => void) | undefined;
  readonly onProgress?: ((progress: HubProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  readonly idleTimeoutMs?: number | undefined;
  readonly retryDelayMs?: number | undefined;
  /** Free bytes of the disk that holds a folder. */
  readonly countFreeBytes?: ((folder: string) => number) | undefined;
}

/** Room that a disk keeps beyond the download. */
const spareBytes = 64 * 1024 * 1024;
const maxIndexBytes = 32 * 1024 * 1024;
const requestsAtOnce = 6;

/**
 * The folder of the snapshot, or the path of the one GGUF file.
 * @throws TuneError `model-gated` | `model-not-found` | `model-unsupported` | `download-failed` | `disk-full` | `not-writable`
 */
export async function downloadModel(reference: HubReference, options: HubDownloadOptions = {}): Promise<string> {
  const location = locateHub(options.settings, options.environment ?? process.env);
  const { repository } = reference;
  const cache = new HubCache(location.cache, repository);
  const complete = cache.findComplete(reference);
  if (complete !== undefined) return complete;

  const request: HubRequest = {
    location,
    repository,
    idleTimeoutMs: options.idleTimeoutMs ?? 30_000,
    signal: options.signal,
  };
  const info = await requestModelInfo(request, reference);
  const download = async (file: HubFile, onBytes: (bytes: number) => void) => {
    const blob = cache.blobPath(file.etag);
    await withHubLock(cache.lockPath(file.etag), options.signal, async () => {
      if (!existsSync(blob)) await downloadBlob(request, file, blob, onBytes, options.retryDelayMs ?? 1000);
    });
    onBytes(file.bytes);
    cache.link(info.commit, file.name, file.etag);
  };

  const files = await requestFiles(request, info.commit, chooseFirstFiles(info, reference));
  const index = files.find(file => file.name === weightIndex);
  if (index) {
    if (index.bytes > maxIndexBytes) {
      throw toDownloadError(request, `an index of ${index.bytes} bytes, more than ${maxIndexBytes}`);
    }
    await download(index, () => undefined);
    const shards = listShards(request, cache.blobPath(index.etag), info.files);
    files.push(...(await requestFiles(request, info.commit, shards)));
  }

  const totalBytes = files.reduce((sum, file) => sum + file.bytes, 0);
  checkRoom(request, cache, files, options.countFreeBytes ?? countFreeBytes);
  options.onPlan?.({ repository, licence: info.licence, files, totalBytes });
  let doneBefore = 0;
  for (const file of files) {
    await download(file, bytes =>
      options.onProgress?.({ repository, file: file.name, doneBytes: doneBefore + bytes, totalBytes }),
    );
    doneBefore += file.bytes;
  }
  cache.writeCommit(reference.revision, info.commit);
  const path = cache.snapshotPath(info.commit);
  return reference.ggufFile === undefined ? path : join(path, reference.ggufFile);
}

async function requestFiles(request: HubRequest, commit: string, names: readonly string[]): Promise<HubFile[]> {
  const files: HubFile[] = [];
  for (let at = 0; at < names.length; at += requestsAtOnce) {
    const group = names.slice(at, at + requestsAtOnce);
    files.push(...(await Promise.all(group.map(name => requestFile(request, commit, name)))));
  }
  return files;
}

/** Size and checksum of a file; the first such request also shows whether the files may be read at all. */
async function requestFile(request: HubRequest, commit: string, name: string): Promise<HubFile> {
  const path = name.split('/').map(encodeURIComponent).join('/');
  const url = `${request.location.endpoint}/${request.repository}/resolve/${commit}/${path}`;
  const { response, abort } = await requestHub(request, url, { method: 'HEAD' });
  abort.abort();
  const { headers } = response;
  const etag = (headers.get('x-linked-etag') ?? headers.get('etag') ?? '').replace(/^W\//, '').replaceAll('"', '');
  // A redirect's own length is that of its body.
  const size = headers.get('x-linked-size') ?? (response.ok ? headers.get('content-length') : null);
  const bytes = Number(size);
  // The etag becomes a file's name.
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/.test(etag) || size === null || !Number.isSafeInteger(bytes) || bytes < 0) {
    throw toDownloadError(request, `no size and checksum of ${name}`);
  }
  return { name, url, etag, bytes };
}

function listShards(request: HubRequest, indexPath: string, files: ReadonlySet<string>): string[] {
  const shards = readShardNames(readFileSync(indexPath, 'utf8'));
  const missing = shards?.find(name => !files.has(name));
  if (shards && missing === undefined) return shards;
  throw new TuneError(
    'model-invalid',
    `${request.repository}: expected the shards of ${weightIndex}, got ${missing ? `none named ${missing}` : 'a broken index'}`,
    { hint: 'The repository is incomplete: choose another model or revision.' },
  );
}

function checkRoom(
  { repository }: HubRequest,
  cache: HubCache,
  files: readonly HubFile[],
  count: (folder: string) => number,
): void {
  let needed = 0;
  for (const { etag, bytes } of files) {
    const blob = cache.blobPath(etag);
    if (existsSync(blob)) continue;
    needed += bytes - (statSync(`${blob}.incomplete`, { throwIfNoEntry: false })?.size ?? 0);
  }
  let folder = cache.blobPath('any');
  while (!existsSync(folder)) folder = dirname(folder);
  const free = count(folder);
  if (needed === 0 || needed + spareBytes <= free) return;
  throw new TuneError(
    'disk-full',
    `${repository}: expected ${needed + spareBytes} free bytes in the Hub cache, got ${free} (${folder})`,
    { file: folder, hint: 'Free some space, or set another Hub cache folder (setting, or HF_HUB_CACHE).' },
  );
}

function countFreeBytes(folder: string): number {
  const stats = statfsSync(folder);
  return stats.bavail * stats.bsize;
}
