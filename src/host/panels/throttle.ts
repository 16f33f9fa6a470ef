/** @file Many changes -> at most one call within each interval, the last one never lost. */

export class Throttle {
  private timer: NodeJS.Timeout | undefined;
  private isWanted = false;

  constructor(
    private readonly intervalMs: number,
    private readonly act: () => void,
  ) {}

  /** Acts at once when the last act is long enough ago. */
  request(): void {
    if (this.timer !== undefined) {
      this.isWanted = true;
      return;
    }
    this.act();
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (!this.isWanted) return;
      this.isWanted = false;
      this.request();
    }, this.intervalMs);
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.isWanted = false;
  }
}
