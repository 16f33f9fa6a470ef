/** @file A `.tuning-fork` folder -> its runs, kept up to date by `tick`. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { runIdPattern, storeNames } from '../../shared/runFolder.ts';
import { isActive } from '../../shared/runState.ts';
import { Emitter } from '../emitter.ts';
import { type Liveness, RunReader } from './runReader.ts';

export interface RunChange {
  run: RunReader;
  change: 'added' | 'changed' | 'removed' | 'series';
}

/** Runs at rest that are looked at again in one tick; another window or the command line may have touched them. */
const restingRunsPerTick = 25;

export class RunStore {
  private readonly runs = new Map<string, RunReader>();
  /** Runs whose series somebody looks at, with the number of lookers. */
  private readonly watched = new Map<string, number>();
  private readonly emitter = new Emitter<RunChange>();
  private seenFolder = '';
  private restingCursor = 0;
  private ticking: Promise<void> | undefined;

  readonly onDidChange = this.emitter.event;

  constructor(
    /** The `.tuning-fork` folder. */
    readonly root: string,
    /** What to call it when there are several. */
    readonly label: string,
    private readonly isAlive: Liveness,
    private readonly now: () => number = Date.now,
  ) {}

  get isWatched(): boolean {
    return this.watched.size > 0;
  }

  /** Newest first. */
  list(): RunReader[] {
    return [...this.runs.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  find(id: string): RunReader | undefined {
    return this.runs.get(id);
  }

  /** Keeps a run's series up to date until disposed. */
  watchSeries(id: string): { dispose(): void } {
    this.watched.set(id, (this.watched.get(id) ?? 0) + 1);
    return {
      dispose: () => {
        const left = (this.watched.get(id) ?? 1) - 1;
        if (left > 0) this.watched.set(id, left);
        else this.watched.delete(id);
      },
    };
  }

  /** Looks at the disk once; ticks never overlap. */
  tick(): Promise<void> {
    this.ticking ??= this.look().finally(() => {
      this.ticking = undefined;
    });
    return this.ticking;
  }

  private async look(): Promise<void> {
    await this.lookForRuns();
    for (const run of this.runsToRefresh()) {
      const changed = await run.refreshSummary();
      const grew = isActive(run.state) || this.watched.has(run.id) ? await run.refreshSeries() : false;
      if (changed) this.emitter.fire({ run, change: 'changed' });
      else if (grew) this.emitter.fire({ run, change: 'series' });
    }
  }

  private async lookForRuns(): Promise<void> {
    const folder = join(this.root, storeNames.runs);
    const found = await stat(folder).catch(() => undefined);
    const version = found === undefined ? '' : `${found.mtimeMs}:${found.ino}`;
    // A folder changed within the last two seconds may change again without a new time stamp.
    const isSettled = found === undefined || this.now() - found.mtimeMs > 2000;
    if (version === this.seenFolder) return;
    this.seenFolder = isSettled ? version : '';
    const entries = found === undefined ? [] : await readdir(folder, { withFileTypes: true }).catch(() => []);
    const names = new Set(entries.filter(e => e.isDirectory() && runIdPattern.test(e.name)).map(e => e.name));
    for (const run of [...this.runs.values()]) {
      if (names.has(run.id)) continue;
      this.runs.delete(run.id);
      this.emitter.fire({ run, change: 'removed' });
    }
    for (const name of names) {
      if (this.runs.has(name)) continue;
      const run = new RunReader(join(folder, name), this.root, this.isAlive, this.now);
      await run.refreshSummary();
      this.runs.set(name, run);
      this.emitter.fire({ run, change: 'added' });
    }
  }

  private runsToRefresh(): RunReader[] {
    const all = [...this.runs.values()];
    const busy = all.filter(run => isActive(run.state) || run.state === 'queued' || this.watched.has(run.id));
    const resting = all.filter(run => !busy.includes(run));
    if (this.restingCursor >= resting.length) this.restingCursor = 0;
    const some = resting.slice(this.restingCursor, this.restingCursor + restingRunsPerTick);
    this.restingCursor += restingRunsPerTick;
    return [...busy, ...some];
  }
}
