/** @file The form's dataset, watched: whoever changes the file, what was read of it is read again. */
import { type FSWatcher, watch } from 'chokidar';

export class DatasetWatch {
  private watcher: FSWatcher | undefined;
  private path: string | null = null;

  constructor(
    private readonly onDidChange: (path: string) => void,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** Follows this file alone; null follows none. */
  follow(path: string | null): void {
    if (path === this.path) return;
    this.dispose();
    this.path = path;
    if (path === null) return;
    const watcher = watch(path, {
      ignoreInitial: true,
      awaitWriteFinish: { stabilityThreshold: 200, pollInterval: 50 },
    });
    for (const event of ['add', 'change', 'unlink'] as const) watcher.on(event, () => this.onDidChange(path));
    watcher.on('error', this.onError);
    this.watcher = watcher;
  }

  dispose(): void {
    void this.watcher?.close();
    this.watcher = undefined;
    this.path = null;
  }
}
