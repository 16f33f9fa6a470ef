/** @file Turns for requests: at most so many a minute, evenly, and none before the time until which the endpoint asked to wait. */

export interface Clock {
  /** Monotonic, in milliseconds. */
  now(): number;
  /** @throws AbortError when cancelled */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export class Pace {
  private readonly intervalMs: number;
  private readonly clock: Clock;
  private nextAtMs = Number.NEGATIVE_INFINITY;

  /** `requestsPerMinute` 0: as fast as answers come. */
  constructor(requestsPerMinute: number, clock: Clock) {
    this.intervalMs = requestsPerMinute > 0 ? 60_000 / requestsPerMinute : 0;
    this.clock = clock;
  }

  /** Resolves when the next request may go out. @throws AbortError when cancelled */
  async takeTurn(signal?: AbortSignal): Promise<void> {
    for (;;) {
      signal?.throwIfAborted();
      const now = this.clock.now();
      const waitMs = this.nextAtMs - now;
      if (waitMs <= 0) {
        this.nextAtMs = now + this.intervalMs;
        return;
      }
      // Looked at again afterwards: others may have taken the turn, or put it off.
      await this.clock.sleep(waitMs, signal);
    }
  }

  /** Holds every request back, as an endpoint that is over its limit asks. */
  holdFor(ms: number): void {
    this.nextAtMs = Math.max(this.nextAtMs, this.clock.now() + ms);
  }
}
