/** @file A large file -> the Hub's store, in one piece or in parts as it asks; one that is there already is not sent again. */
import { TuneError } from '../../../../shared/errors.ts';
import { isJsonObject, type JsonObject } from '../../readJsonFile.ts';
import { callHub, type HubTarget } from './hubApi.ts';

export interface LargeFile {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

const lfsType = 'application/vnd.git-lfs+json';

/** @param onBytes gets the bytes of this file that are there */
export async function uploadLargeFile(
  target: HubTarget,
  file: LargeFile,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const { endpoint, repository } = target;
  const headers = { accept: lfsType, 'content-type': lfsType };
  const { body } = await callHub(
    target,
    'POST',
    `${endpoint}/${repository}.git/info/lfs/objects/batch`,
    JSON.stringify({
      operation: 'upload',
      transfers: ['basic', 'multipart'],
      hash_algo: 'sha256',
      ref: { name: 'main' },
      objects: [{ oid: file.sha256, size: file.bytes }],
    }),
    headers,
  );
  const [object] = isJsonObject(body) && Array.isArray(body.objects) ? (body.objects as JsonObject[]) : [];
  const problem = object?.error;
  if (object === undefined || problem !== undefined) {
    const got = isJsonObject(problem) ? String(problem.message) : 'no place';
    throw new TuneError('download-failed', `${repository}: expected a place for ${file.path}, got ${got}`);
  }
  const actions = isJsonObject(object.actions) ? object.actions : {};
  const upload = readAction(actions.upload);
  if (upload !== undefined) {
    const chunkBytes = Number(upload.header.chunk_size);
    if (Number.isSafeInteger(chunkBytes) && chunkBytes > 0)
      await uploadParts(target, file, upload, chunkBytes, onBytes);
    else await callHub(target, 'PUT', upload.href, { path: file.path, start: 0, end: file.bytes }, upload.header);
    const verify = readAction(actions.verify);
    if (verify !== undefined) {
      const known = JSON.stringify({ oid: file.sha256, size: file.bytes });
      await callHub(target, 'POST', verify.href, known, headers);
    }
  }
  onBytes(file.bytes);
}

interface Action {
  readonly href: string;
  readonly header: Readonly<Record<string, string>>;
}

/** Addresses of parts stand in the header under their numbers; what is left of it is sent with them. */
async function uploadParts(
  target: HubTarget,
  file: LargeFile,
  { href, header }: Action,
  chunkBytes: number,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const urls = Object.entries(header)
    .filter(([name]) => /^\d+$/.test(name))
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, url]) => url);
  if (urls.length !== Math.ceil(file.bytes / chunkBytes)) {
    throw new TuneError(
      'download-failed',
      `${target.repository}: expected ${Math.ceil(file.bytes / chunkBytes)} addresses for ${file.path}, got ${urls.length}`,
    );
  }
  const parts: { partNumber: number; etag: string }[] = [];
  for (const [index, url] of urls.entries()) {
    const start = index * chunkBytes;
    const end = Math.min(start + chunkBytes, file.bytes);
    const { headers } = await callHub(target, 'PUT', url, { path: file.path, start, end }, {});
    parts.push({ partNumber: index + 1, etag: String(headers.etag ?? '') });
    onBytes(end);
  }
  const body = JSON.stringify({ oid: file.sha256, parts });
  await callHub(target, 'POST', href, body, { accept: lfsType, 'content-type': lfsType });
}

function readAction(value: unknown): Action | undefined {
  if (!isJsonObject(value) || typeof value.href !== 'string') return undefined;
  const header = isJsonObject(value.header) ? value.header : {};
  return { href: value.href, header: Object.fromEntries(Object.entries(header).map(([k, v]) => [k, String(v)])) };
}
