/**
 * @file A folder -> a commit of a repository of the Hub, made when it is missing, private unless asked otherwise. Files go up
 * before the commit, which shows all of them or none; pushing again sends only what is not there. Hidden files stay here.
 */
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { TuneError } from '../../../../shared/errors.ts';
import { isJsonObject } from '../../readJsonFile.ts';
import { callHub, type HubTarget } from './hubApi.ts';
import { uploadLargeFile } from './uploadLargeFile.ts';

export interface PushOptions {
  readonly isPrivate: boolean;
  readonly message: string;
  readonly onProgress: (doneBytes: number, totalBytes: number) => void;
}

export interface Pushed {
  /** Where a browser finds it. */
  readonly url: string;
  readonly commit: string | null;
  readonly files: number;
  /** Whether the repository was made now. */
  readonly isNew: boolean;
}

interface PushedFile {
  /** Within the folder, with slashes. */
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

const sampleBytes = 512;
/** What the Hub takes inside of a commit. */
const maxInlineBytes = 10 * 1000 ** 2;

/** @throws TuneError as `callHub`; AbortError */
export async function pushFolder(folder: string, target: HubTarget, options: PushOptions): Promise<Pushed> {
  const files = listFiles(folder);
  const { endpoint, repository } = target;
  const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const isNew = await createRepository(target, options.isPrivate);
  const large = await askLarge(target, files);
  const lines: object[] = [{ key: 'header', value: { summary: options.message, description: '' } }];
  let done = 0;
  for (const file of files) {
    if (large.has(file.name)) {
      const sha256 = await hashFile(file.path, target.signal);
      await uploadLargeFile(target, { ...file, sha256 }, bytes => options.onProgress(done + bytes, totalBytes));
      lines.push({ key: 'lfsFile', value: { path: file.name, algo: 'sha256', oid: sha256, size: file.bytes } });
    } else {
      const content = readFileSync(file.path).toString('base64');
      lines.push({ key: 'file', value: { path: file.name, encoding: 'base64', content } });
    }
    done += file.bytes;
    options.onProgress(done, totalBytes);
  }
  const { body } = await callHub(
    target,
    'POST',
    `${endpoint}/api/models/${repository}/commit/main`,
    lines.map(line => JSON.stringify(line)).join('\n'),
    { 'content-type': 'application/x-ndjson' },
  );
  const commit = isJsonObject(body) && typeof body.commitOid === 'string' ? body.commitOid : null;
  return { url: `${endpoint}/${repository}`, commit, files: files.length, isNew };
}

/** False when it is there already. */
async function createRepository(target: HubTarget, isPrivate: boolean): Promise<boolean> {
  const [organization, name] = target.repository.split('/');
  const body = JSON.stringify({ type: 'model', name, organization, private: isPrivate });
  const { status } = await callHub(
    target,
    'POST',
    `${target.endpoint}/api/repos/create`,
    body,
    { 'content-type': 'application/json' },
    [409],
  );
  return status !== 409;
}

/** The files that the Hub wants in its store for large ones. */
async function askLarge(target: HubTarget, files: readonly PushedFile[]): Promise<ReadonlySet<string>> {
  const asked = files.map(({ name, path, bytes }) => ({ path: name, size: bytes, sample: readSample(path) }));
  const { body } = await callHub(
    target,
    'POST',
    `${target.endpoint}/api/models/${target.repository}/preupload/main`,
    JSON.stringify({ files: asked }),
    { 'content-type': 'application/json' },
  );
  const answers = isJsonObject(body) && Array.isArray(body.files) ? body.files.filter(isJsonObject) : [];
  const modes = new Map(answers.map(({ path, uploadMode }) => [path, uploadMode]));
  return new Set(
    files.filter(({ name, bytes }) => modes.get(name) === 'lfs' || bytes > maxInlineBytes).map(({ name }) => name),
  );
}

function listFiles(folder: string): PushedFile[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap(entry => {
    const path = join(entry.parentPath, entry.name);
    const parts = relative(folder, path).split(sep);
    return entry.isFile() && !parts.some(isHidden) ? [{ name: parts.join('/'), path, bytes: statSync(path).size }] : [];
  });
  if (files.length === 0) {
    throw new TuneError('usage', `${folder}: expected a folder with files to push, got none`, { file: folder });
  }
  return files.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Keys, histories and caches are nobody's to publish; the Hub itself reads .gitattributes. */
function isHidden(part: string): boolean {
  return part.startsWith('.') && part !== '.gitattributes';
}

function readSample(path: string): string {
  const descriptor = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(sampleBytes);
    return buffer.subarray(0, readSync(descriptor, buffer, 0, sampleBytes, 0)).toString('base64');
  } finally {
    closeSync(descriptor);
  }
}

async function hashFile(path: string, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) {
    signal?.throwIfAborted();
    hash.update(piece as Uint8Array);
  }
  return hash.digest('hex');
}
