/** @file Many changes -> at most one call within each interval, the last one never lost. */

export class Throttle {
  private timer: NodeJS.Timeout | undefined;
  private isWanted = false;

  constructor(
    /** A function when it depends on how much each act costs. */
    private readonly intervalMs: number | (() => number),
    private readonly act: () => void,
  ) {}

  /** Acts at once when the last act is long enough ago. */
  request(): void {
    if (this.timer !== undefined) {
      this.isWanted = true;
      return;
    }
    this.act();
    const intervalMs = typeof this.intervalMs === 'number' ? this.intervalMs : this.intervalMs();
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (!this.isWanted) return;
      this.isWanted = false;
      this.request();
    }, intervalMs);
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.isWanted = false;
  }
}
