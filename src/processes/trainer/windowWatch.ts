/** @file Windows of the editor -> whether the last one that wanted this run paused with it has closed. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { leaseStaleMs, type WindowLease, windowLeaseSchema } from '../../shared/windowLease.ts';

const pollMs = 3_000;
/** A reload takes a while, and so does waking from sleep: looks are counted, not seconds. */
const looksInVain = 10;

export class WindowWatch {
  private vain = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly folder: string,
    private readonly store: string,
    private readonly onLastClosed: () => void,
    private readonly now: () => number = Date.now,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.look(), pollMs);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Calls back once, after enough looks at leases of this store without one of an open window. */
  look(): void {
    const leases = this.readLeases();
    const isLeft = leases.length > 0 && !leases.some(lease => lease.isOpen);
    this.vain = isLeft ? this.vain + 1 : 0;
    if (this.vain === looksInVain) this.onLastClosed();
  }

  private readLeases(): { isOpen: boolean }[] {
    const found: { isOpen: boolean }[] = [];
    for (const name of listFolder(this.folder)) {
      const path = join(this.folder, name);
      const lease = name.endsWith('.json') ? readLease(path) : undefined;
      if (!lease?.value.stores.includes(this.store)) continue;
      found.push({ isOpen: !lease.value.closed && this.now() - lease.writtenAt < leaseStaleMs });
    }
    return found;
  }
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // no window ever asked for a pause
  }
}

function readLease(path: string): { value: WindowLease; writtenAt: number } | undefined {
  try {
    const value = windowLeaseSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    return { value, writtenAt: statSync(path).mtimeMs };
  } catch {
    return undefined; // just removed by its window, or nothing of ours
  }
}
