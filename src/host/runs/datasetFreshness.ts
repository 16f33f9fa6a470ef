/** @file Datasets of runs, watched -> whether a file still is what a run was trained on. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type FSWatcher, watch } from 'chokidar';
import type { DatasetReference } from '../../shared/recipe.ts';
import { Emitter } from '../emitter.ts';
import { isInside } from '../processes/childEnvironment.ts';

/** What several files hash to only the dataset's reader knows. */
type Sha256 = string | 'missing' | 'several';

/**
 * Paths come from run folders, which are untrusted: only plain files are opened, and no network share outside the
 * workspace, because merely asking for one sends the user's credentials on Windows.
 */
export class DatasetFreshness {
  private readonly watcher: FSWatcher;
  private readonly known = new Map<string, Sha256>();
  private readonly hashing = new Map<string, Promise<void>>();
  private readonly emitter = new Emitter<string>();

  /** The path of a dataset that was read for the first time or changed. */
  readonly onDidChange = this.emitter.event;

  constructor(
    private readonly workspaceFolders: () => readonly string[],
    private readonly onError: (error: unknown) => void,
  ) {
    this.watcher = watch([], { ignoreInitial: true, awaitWriteFinish: { stabilityThreshold: 300, pollInterval: 100 } });
    for (const event of ['add', 'change', 'unlink'] as const) this.watcher.on(event, path => void this.read(path));
    this.watcher.on('error', onError);
  }

  /** Undefined until the file was read once; a file that is gone has changed. */
  hasChanged(dataset: DatasetReference): boolean | undefined {
    const { path } = dataset;
    if (!this.mayRead(path)) return undefined;
    const current = this.known.get(path);
    if (current === undefined) {
      this.follow(path);
      return undefined;
    }
    return current === 'several' ? undefined : current !== dataset.sha256;
  }

  dispose(): void {
    void this.watcher.close();
  }

  private follow(path: string): void {
    if (this.hashing.has(path)) return;
    this.watcher.add(path);
    void this.read(path);
  }

  private read(path: string): Promise<void> {
    // One reading at a time: a change during a reading is read after it.
    const before = this.hashing.get(path) ?? Promise.resolve();
    const reading = before.then(() => this.update(path)).catch(this.onError);
    this.hashing.set(path, reading);
    return reading;
  }

  private async update(path: string): Promise<void> {
    const current = await hashFile(path);
    if (this.known.get(path) === current) return;
    this.known.set(path, current);
    this.emitter.fire(path);
  }

  private mayRead(path: string): boolean {
    if (!isAbsolute(path)) return false;
    return !this.isForeignShare(path);
  }

  /** Whether a path is a network share that the user has not opened as a workspace. */
  isForeignShare(path: string): boolean {
    return /^[\\/]{2}/.test(path) && !this.workspaceFolders().some(folder => isInside(path, folder));
  }
}

async function hashFile(path: string): Promise<Sha256> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true || (found === undefined && /[*?[{#]/.test(path))) return 'several';
  if (found?.isFile() !== true) return 'missing';
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
