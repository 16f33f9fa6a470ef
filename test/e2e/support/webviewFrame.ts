/** @file Finds an extension's own document: workbench -> iframe.webview -> iframe#active-frame. */
import type { Frame, Page } from 'playwright-core';

/**
 * The frame that holds `selector`. Several webviews may be open, and their frames' names say nothing, so every frame is
 * asked.
 */
export async function waitForWebview(page: Page, selector: string, timeoutMs = 30_000): Promise<Frame> {
  const end = performance.now() + timeoutMs;
  while (performance.now() < end) {
    for (const frame of page.frames()) {
      if (frame !== page.mainFrame() && (await holds(frame, selector))) return frame;
    }
    await page.waitForTimeout(50);
  }
  const frames = page.frames().map(frame => `${frame.name()} ${frame.url().slice(0, 120)}`);
  throw new Error(`no webview with ${selector} after ${timeoutMs} ms; frames:\n${frames.join('\n')}`);
}

async function holds(frame: Frame, selector: string): Promise<boolean> {
  try {
    return (await frame.locator(selector).count()) > 0;
  } catch {
    return false; // the frame was replaced while it was asked: its successor is asked in the next round
  }
}
