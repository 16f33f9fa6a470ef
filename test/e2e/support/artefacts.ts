/** @file Screenshots and logs that a test leaves behind, under the cache folder's `screenshots/`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { cacheFolder } from '../../../src/tools/paths.mjs';

const folder = join(cacheFolder, 'screenshots');

/** Keeps the page as `<name>.png` and gives the file's path. */
export async function keepScreenshot(page: Page, name: string): Promise<string> {
  const file = join(folder, `${fileName(name)}.png`);
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: file });
  return file;
}

export function keepLog(name: string, text: string): string {
  const file = join(folder, `${fileName(name)}.log`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, text);
  return file;
}

function fileName(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 100);
}
