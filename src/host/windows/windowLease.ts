/** @file This window's sign of life for trainers, while runs are to pause when the last window closes. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type WindowLease as Lease, leaseBeatMs, windowLeaseSchema } from '../../shared/windowLease.ts';

export class WindowLease {
  private readonly file: string;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly folder: string,
    private readonly stores: () => readonly string[],
    private readonly onError: (error: unknown) => void,
  ) {
    this.file = join(folder, `${process.pid}-${randomBytes(6).toString('hex')}.json`);
  }

  /** `pause`: trainers of these stores pause once no window is left; else they go on, whatever earlier windows asked. */
  follow(wish: 'pause' | 'keepTraining'): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.attempt(() => this.removeOthers(wish === 'pause'));
    if (wish === 'keepTraining') {
      this.attempt(() => rmSync(this.file, { force: true }));
      return;
    }
    this.attempt(() => this.write(false));
    this.timer = setInterval(() => this.attempt(() => this.write(false)), leaseBeatMs);
  }

  /** The window closes or reloads: at once, an extension has little time then. */
  dispose(): void {
    if (this.timer === undefined) return;
    clearInterval(this.timer);
    this.attempt(() => this.write(true));
  }

  private write(closed: boolean): void {
    const lease: Lease = { stores: this.stores().map(resolveLinks), closed };
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const staged = `${this.file}.tmp`;
    writeFileSync(staged, JSON.stringify(lease), { mode: 0o600 });
    renameSync(staged, this.file);
  }

  /** Leases of windows that said goodbye, or (not only those) all that concern these stores alone. */
  private removeOthers(onlyClosed: boolean): void {
    const own = this.stores().map(resolveLinks);
    for (const name of listLeases(this.folder)) {
      const path = join(this.folder, name);
      const lease = readLease(path);
      if (path === this.file || lease === undefined || !lease.stores.every(store => own.includes(store))) continue;
      if (lease.closed || !onlyClosed) rmSync(path, { force: true });
    }
  }

  private attempt(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.onError(error);
    }
  }
}

function listLeases(folder: string): string[] {
  try {
    return readdirSync(folder).filter(name => name.endsWith('.json'));
  } catch {
    return []; // no window ever asked for a pause
  }
}

function readLease(path: string): Lease | undefined {
  try {
    return windowLeaseSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined; // just removed by its window, or nothing of ours
  }
}

/** A store that is not made yet has no links to resolve. */
function resolveLinks(store: string): string {
  try {
    return realpathSync(store);
  } catch {
    return store;
  }
}
