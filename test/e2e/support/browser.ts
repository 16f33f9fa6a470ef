/** @file Chromium that reaches nothing but this machine. */
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright-core';
import { requireChromium } from '../../support/externals.ts';

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

/** A browser with a fresh profile under `folder`. */
export function launchBrowser(folder: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(join(folder, 'browser'), {
    executablePath: requireChromium(),
    headless: true,
    viewport: { width: 1400, height: 900 },
    args: flags,
  });
}
