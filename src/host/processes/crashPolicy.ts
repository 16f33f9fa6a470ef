/** @file Crash times -> whether a helper process may start again. */

const crashLimit = 5;
const windowMs = 3 * 60_000;

/** Restarts four times; after the fifth crash within three minutes it stays down until they have passed, or `reset`. */
export class CrashPolicy {
  private crashes: number[] = [];

  /** Notes a crash; true when the process may start again. */
  noteCrash(nowMs: number): boolean {
    this.crashes.push(nowMs);
    return this.mayStart(nowMs);
  }

  mayStart(nowMs: number): boolean {
    this.crashes = this.crashes.filter(at => nowMs - at < windowMs);
    return this.crashes.length < crashLimit;
  }

  reset(): void {
    this.crashes = [];
  }
}
