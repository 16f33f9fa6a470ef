/** A folder of its own for each test, removed afterwards. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** To be called inside a test. */
export function temporaryFolder(): string {
  const { path, remove } = makeTemporaryFolder();
  onTestFinished(remove);
  return path;
}

/** For a folder that several tests share: the caller removes it. */
export function makeTemporaryFolder(): { readonly path: string; readonly remove: () => void } {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'tuning-fork-test-')));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
