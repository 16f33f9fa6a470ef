/** @file One browser and one server for a test file. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { launchBrowser, type OpenPage, openPage } from './openPage.ts';
import { type PageName, type PageServer, startPageServer } from './pageServer.ts';
import type { Theme } from './themes.ts';

export type OpenState = (
  state: string,
  options?: { theme?: Theme['name']; width?: number; height?: number },
) => Promise<OpenPage>;

/** Sets the file up and gives the function that opens `page` in a state. */
export function usePage(page: PageName, defaultWidth: number): OpenState {
  let browser: Browser | undefined;
  let server: PageServer | undefined;
  beforeAll(async () => {
    [browser, server] = await Promise.all([launchBrowser(), startPageServer()]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });
  return (state, options = {}) => openPage(browser!, server!, { page, state, width: defaultWidth, ...options });
}
