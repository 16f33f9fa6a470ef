/** @file Work that is asked for often and of which only the newest counts: debounced, and cancelled by the next wish. */

export class LatestTask {
  private timer: NodeJS.Timeout | undefined;
  private controller: AbortController | undefined;

  constructor(
    private readonly delayMs: number,
    /** Told when `isBusy` changed. */
    private readonly onDidChange: () => void,
  ) {}

  get isBusy(): boolean {
    return this.controller !== undefined;
  }

  /** Cancels what is under way and runs `work` after the delay; `work` must not throw. */
  schedule(work: (signal: AbortSignal) => Promise<void>): void {
    this.stop();
    const controller = new AbortController();
    this.controller = controller;
    this.timer = setTimeout(() => {
      void work(controller.signal).finally(() => {
        if (this.controller !== controller) return;
        this.controller = undefined;
        this.onDidChange();
      });
    }, this.delayMs);
    this.onDidChange();
  }

  cancel(): void {
    if (!this.isBusy) return;
    this.stop();
    this.onDidChange();
  }

  dispose(): void {
    this.stop();
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.controller?.abort();
    this.controller = undefined;
  }
}
