/** Dataset files for one test, removed after it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder that the running test may fill. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tuning-fork-data-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The path of a new file with that name and content. */
export function makeFile(name: string, content: string | Uint8Array): string {
  const path = join(makeFolder(), name);
  writeFileSync(path, content);
  return path;
}

export const toLines = (rows: readonly unknown[]): string => rows.map(row => `${JSON.stringify(row)}\n`).join('');
