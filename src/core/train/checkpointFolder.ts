/** @file The `checkpoints/` folder of a run: save, find the newest that is whole, keep the newest few and the best. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { checkpointName, checkpointNamePattern } from '../../shared/runFolder.ts';
import { type CheckpointContents, checkpointFiles, writeCheckpoint } from './checkpoint.ts';
import { checkManifest } from './checkpointManifest.ts';
import { type FolderFileSystem, nodeFolderFileSystem } from './stagedFolder.ts';

export interface SavedCheckpoint {
  readonly step: number;
  readonly path: string;
}

export class CheckpointFolder {
  private readonly folder: string;
  private readonly fileSystem: FolderFileSystem;

  constructor(folder: string, fileSystem: FolderFileSystem = nodeFolderFileSystem) {
    this.folder = folder;
    this.fileSystem = fileSystem;
  }

  /** Newest first; not yet checked. */
  list(): SavedCheckpoint[] {
    if (!existsSync(this.folder)) return [];
    return readdirSync(this.folder)
      .flatMap(name => {
        const match = checkpointNamePattern.exec(name);
        return match === null ? [] : [{ step: Number(match[1]), path: join(this.folder, name) }];
      })
      .sort((a, b) => b.step - a.step);
  }

  /** The newest whose manifest is true. `onBroken` hears of each that was passed over. */
  findNewest(onBroken: (checkpoint: SavedCheckpoint, problem: string) => void): SavedCheckpoint | undefined {
    return this.list().find(checkpoint => {
      const problem = checkCheckpoint(checkpoint.path);
      if (problem !== undefined) onBroken(checkpoint, problem);
      return problem === undefined;
    });
  }

  /** The checkpoint of `step` when it is there and whole. */
  find(step: number): SavedCheckpoint | undefined {
    const path = join(this.folder, checkpointName(step));
    return existsSync(path) && checkCheckpoint(path) === undefined ? { step, path } : undefined;
  }

  /** Saves, then removes all but the newest `keep` and the best. A whole checkpoint of the same step is the same and stays. */
  save(contents: CheckpointContents, keep: number): SavedCheckpoint {
    const { step, bestStep } = contents.state;
    const path = join(this.folder, checkpointName(step));
    this.fileSystem.makeFolder(this.folder);
    if (this.find(step) === undefined) {
      if (existsSync(path)) this.remove(path);
      writeCheckpoint(path, contents, this.fileSystem);
    }
    this.prune(keep, bestStep);
    return { step, path };
  }

  /** Removes all but the newest `keep` and the best. */
  prune(keep: number, bestStep: number | null): void {
    const kept = new Set(
      this.list()
        .slice(0, keep)
        .map(c => c.step),
    );
    for (const old of this.list()) {
      if (!kept.has(old.step) && old.step !== bestStep) this.remove(old.path);
    }
  }

  /** Takes away what a killed process left half-written or half-removed. */
  tidy(): void {
    if (!existsSync(this.folder)) return;
    for (const name of readdirSync(this.folder)) {
      if (/\.(tmp|gone)$/.test(name)) this.fileSystem.removeTree(join(this.folder, name));
    }
  }

  /** Renamed first: a checkpoint half-removed must not look like one half-written. */
  private remove(path: string): void {
    this.fileSystem.removeTree(`${path}.gone`);
    this.fileSystem.renameSync(path, `${path}.gone`);
    this.fileSystem.removeTree(`${path}.gone`);
  }
}

function checkCheckpoint(path: string): string | undefined {
  return checkManifest(path, Object.values(checkpointFiles));
}
