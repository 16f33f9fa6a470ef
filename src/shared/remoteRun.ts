/**
 * @file A run that another machine works on, seen on a shared or synced disk. A pid means nothing here, and the two clocks need
 * not agree: life is judged by how long the sign of life has stayed the same, by this reader's own clock.
 */
import type { ProcessIdentity, RunStatus } from './runFolder.ts';

/** From then on nobody is taken to work on it; disks that are synced now and then bring news only so often. */
export const remoteQuietMs = 180_000;
/** What a first look may be off by: clocks of machines differ. */
const clockToleranceMs = 600_000;

/** Whether the process of this identity runs on another machine. */
export function isElsewhere({ host }: Pick<ProcessIdentity, 'host'>, ownHost: string): boolean {
  return host !== undefined && host !== ownHost;
}

export interface RemoteSigns {
  readonly host: string;
  /** Since anything was heard of it, by this machine's clock; for a first look an estimate from both clocks. */
  readonly quietMs: number;
  readonly isAlive: boolean;
}

/** Follows one run's signs of life; to be asked at each look at its status. */
export class RemoteWatch {
  private heard: { readonly heartbeatAt: string; readonly atMs: number; readonly wasSeenChanging: boolean } | undefined;

  constructor(private readonly now: () => number) {}

  look({ heartbeatAt }: Pick<RunStatus, 'heartbeatAt'>, host: string): RemoteSigns {
    const now = this.now();
    if (this.heard?.heartbeatAt !== heartbeatAt) {
      this.heard = { heartbeatAt, atMs: now, wasSeenChanging: this.heard !== undefined };
    }
    const watchedMs = now - this.heard.atMs;
    if (this.heard.wasSeenChanging) return { host, quietMs: watchedMs, isAlive: watchedMs < remoteQuietMs };
    const ageMs = Math.abs(now - Date.parse(heartbeatAt));
    // Until it is seen to change, an old sign is believed only as far as clocks may differ.
    const isAlive = watchedMs < remoteQuietMs && ageMs < clockToleranceMs;
    return { host, quietMs: Math.max(watchedMs, now - Date.parse(heartbeatAt)), isAlive };
  }
}

/**
 * One look alone, for a program that does not stay: a sign is young by either the clock of its writer or that of the disk.
 * @param fileAgeMs of status.json
 */
export function judgeRemote({ heartbeatAt }: Pick<RunStatus, 'heartbeatAt'>, fileAgeMs: number, now: number): boolean {
  return Math.min(Math.abs(now - Date.parse(heartbeatAt)), Math.abs(fileAgeMs)) < remoteQuietMs;
}
