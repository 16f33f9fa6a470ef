/**
 * @file The cache that Hugging Face's own libraries share: models--organisation--name/{blobs, snapshots, refs}. What is
 * downloaded here is found there, and the other way round.
 * @see https://huggingface.co/docs/huggingface_hub/guides/manage-cache
 */
import { copyFileSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { toWriteError, writeStagedFile } from '../../formats/stagedFile.ts';
import type { HubReference } from './hubLocation.ts';
import { singleWeights, weightIndex } from './hubModelInfo.ts';

export class HubCache {
  private readonly folder: string;
  private readonly locks: string;

  constructor(cache: string, repository: string) {
    const name = `models--${repository.replaceAll('/', '--')}`;
    this.folder = join(cache, name);
    this.locks = join(cache, '.locks', name);
  }

  lockPath(etag: string): string {
    return join(this.locks, `${etag}.tuning-fork.lock`);
  }

  blobPath(etag: string): string {
    return join(this.folder, 'blobs', etag);
  }

  snapshotPath(commit: string): string {
    return join(this.folder, 'snapshots', commit);
  }

  /** The commit that a branch or tag stood for when it was last downloaded; a commit stands for itself. */
  readCommit(revision: string): string | undefined {
    if (/^[0-9a-f]{40}$/.test(revision)) return revision;
    const path = join(this.folder, 'refs', revision);
    if (!existsSync(path)) return undefined;
    const commit = readFileSync(path, 'utf8').trim();
    return /^[0-9a-f]{40}$/.test(commit) ? commit : undefined;
  }

  writeCommit(revision: string, commit: string): void {
    if (revision === commit) return;
    const path = join(this.folder, 'refs', revision);
    mkdirSync(dirname(path), { recursive: true });
    writeStagedFile(path, [Buffer.from(commit)]);
  }

  /** The place of a complete model (a folder, or the one file), so that it opens without the network. */
  findComplete({ revision, ggufFile }: HubReference): string | undefined {
    const commit = this.readCommit(revision);
    if (commit === undefined) return undefined;
    const snapshot = this.snapshotPath(commit);
    if (ggufFile !== undefined) {
      const path = join(snapshot, ggufFile);
      return existsSync(path) ? path : undefined;
    }
    const has = (name: string) => existsSync(join(snapshot, name));
    if (!has('config.json') || !has('tokenizer.json')) return undefined;
    if (!has(weightIndex)) return has(singleWeights) ? snapshot : undefined;
    const shards = readShardNames(readFileSync(join(snapshot, weightIndex), 'utf8'));
    return shards?.every(has) ? snapshot : undefined;
  }

  /** Makes the blob appear in the snapshot: a relative link where the platform allows it, as the other libraries do. */
  link(commit: string, name: string, etag: string): void {
    const blob = this.blobPath(etag);
    const path = join(this.snapshotPath(commit), name);
    try {
      mkdirSync(dirname(path), { recursive: true });
      rmSync(path, { force: true });
      linkOrCopy(blob, path);
    } catch (error) {
      throw toWriteError(error, path);
    }
  }
}

/** Windows allows symbolic links only to developers and administrators, and some disks no links at all. */
function linkOrCopy(blob: string, path: string): void {
  const isRefused = (error: unknown) =>
    ['EPERM', 'EXDEV', 'ENOTSUP', 'ENOSYS'].includes((error as NodeJS.ErrnoException).code ?? '');
  try {
    symlinkSync(relative(dirname(path), blob), path);
    return;
  } catch (error) {
    if (!isRefused(error)) throw error;
  }
  try {
    linkSync(blob, path);
  } catch (error) {
    if (!isRefused(error)) throw error;
    copyFileSync(blob, path);
  }
}

/** The shards of an index, undefined when it is none; only plain names of safetensors files. */
export function readShardNames(text: string): string[] | undefined {
  let index: unknown;
  try {
    index = JSON.parse(text);
  } catch {
    return undefined;
  }
  const weightMap = (index as { weight_map?: unknown } | null)?.weight_map;
  if (typeof weightMap !== 'object' || weightMap === null) return undefined;
  const names = [...new Set(Object.values(weightMap))];
  const isPlain = (name: unknown): name is string => typeof name === 'string' && /^[\w.-]+\.safetensors$/.test(name);
  return names.every(isPlain) ? names : undefined;
}
