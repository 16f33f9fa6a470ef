/** @file A page in a real browser: opened in a state, a theme and a width; what it sent and what went wrong are kept. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { PageState } from '../../src/shared/pages.ts';
import { requireChromium } from '../support/externals.ts';
import type { PageName, PageServer } from './pageServer.ts';
import type { Theme } from './themes.ts';

export const screenshotFolder = join(import.meta.dirname, '../../.cache/screenshots/webview');

export interface OpenPage {
  readonly page: Page;
  /** Errors and refusals of the security policy that the browser reported. */
  readonly complaints: string[];
  sent(): Promise<unknown[]>;
  show(snapshot: PageState): Promise<void>;
  screenshot(name: string): Promise<void>;
  close(): Promise<void>;
}

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: requireChromium(),
    args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--no-first-run'],
  });
}

export async function openPage(
  browser: Browser,
  server: PageServer,
  address: { page: PageName; state: string; theme?: Theme['name']; width: number; height?: number },
): Promise<OpenPage> {
  const context = await browser.newContext({
    viewport: { width: address.width, height: address.height ?? 900 },
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', error => complaints.push(error.message));
  page.on('console', message => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  const theme = address.theme ?? 'dark';
  await page.goto(`${server.origin}/${address.page}?state=${address.state}&theme=${theme}`);
  await drawn(page);
  return {
    page,
    complaints,
    sent: () => page.evaluate(() => window.fakeHost.sent),
    async show(snapshot) {
      await page.evaluate(state => window.fakeHost.show(state), snapshot);
      await drawn(page);
    },
    async screenshot(name) {
      mkdirSync(screenshotFolder, { recursive: true });
      // A sticky bar belongs at the end of the picture, not in its middle.
      const height = await page.evaluate(() => document.documentElement.scrollHeight);
      const usual = address.height ?? 900;
      await page.setViewportSize({ width: address.width, height: Math.max(height, usual) });
      await drawn(page);
      await page.screenshot({
        path: join(screenshotFolder, `${name}-${theme}-${address.width}.png`),
        animations: 'disabled',
      });
      await page.setViewportSize({ width: address.width, height: usual });
    },
    close: () => context.close(),
  };
}

/** Waits until messages on their way have been drawn: three frames cover the message, the drawing and the components. */
export async function drawn(page: Page): Promise<void> {
  for (let frame = 0; frame < 3; frame++) {
    await page.evaluate(() => new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve, 0))));
  }
}
