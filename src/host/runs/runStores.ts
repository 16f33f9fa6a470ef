/** @file The stores of all workspace folders as one list, looked at by one timer. */

import { isActive } from '../../shared/runState.ts';
import { Emitter } from '../emitter.ts';
import type { Liveness, RunReader } from './runReader.ts';
import { type RunChange, RunStore } from './runStore.ts';

const busyTickMs = 250;
const idleTickMs = 1000;

export interface StorePlace {
  root: string;
  label: string;
}

export class RunStores {
  private stores: RunStore[] = [];
  private readonly emitter = new Emitter<RunChange>();
  private readonly loadEmitter = new Emitter<void>();
  private timer: NodeJS.Timeout | undefined;
  private isDisposed = false;
  private hasLooked = false;

  readonly onDidChange = this.emitter.event;
  /** After the first look at the disk. */
  readonly onDidLoad = this.loadEmitter.event;

  constructor(
    private readonly isAlive: Liveness,
    private readonly onError: (error: unknown) => void,
  ) {}

  get isLoaded(): boolean {
    return this.hasLooked;
  }

  setPlaces(places: readonly StorePlace[]): void {
    const gone = this.stores.filter(store => !places.some(place => place.root === store.root));
    this.stores = places.map(place => this.findStore(place.root) ?? this.openStore(place));
    for (const run of gone.flatMap(store => store.list())) this.emitter.fire({ run, change: 'removed' });
    this.scheduleTick(0);
  }

  listStores(): readonly RunStore[] {
    return this.stores;
  }

  listRuns(): RunReader[] {
    return this.stores.flatMap(store => store.list()).sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  findStore(root: string): RunStore | undefined {
    return this.stores.find(store => store.root === root);
  }

  findRun(path: string): RunReader | undefined {
    return this.listRuns().find(run => run.path === path);
  }

  /** The run a trainer accepted: it names the folder with links resolved, the workspace may be reached through one. */
  findAccepted({ id, path }: { id: string; path: string }): RunReader | undefined {
    return this.findRun(path) ?? this.listRuns().find(run => run.id === id);
  }

  /** Looks at the disk now. */
  async refresh(): Promise<void> {
    await Promise.all(this.stores.map(store => store.tick()));
  }

  dispose(): void {
    this.isDisposed = true;
    clearTimeout(this.timer);
  }

  private openStore(place: StorePlace): RunStore {
    const store = new RunStore(place.root, place.label, this.isAlive);
    store.onDidChange(change => this.emitter.fire(change));
    return store;
  }

  private scheduleTick(delayMs: number): void {
    clearTimeout(this.timer);
    if (this.isDisposed) return;
    this.timer = setTimeout(() => void this.tick(), delayMs);
  }

  private async tick(): Promise<void> {
    try {
      await this.refresh();
    } catch (error) {
      this.onError(error);
    }
    if (!this.hasLooked) {
      this.hasLooked = true;
      this.loadEmitter.fire();
    }
    const isBusy = this.stores.some(store => store.isWatched || store.list().some(run => isActive(run.state)));
    this.scheduleTick(isBusy ? busyTickMs : idleTickMs);
  }
}
