/** The pictures of README.md, taken from real VS Code with the packaged extension: `npm run pictures`. */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../../src/tools/paths.mjs';
import { ComparePage } from '../e2e/support/comparePage.ts';
import type { EditorWindow } from '../e2e/support/editor.ts';
import { FormPage } from '../e2e/support/formPage.ts';
import { RunPage } from '../e2e/support/runPage.ts';
import { useEditor } from '../e2e/support/useEditor.ts';

const folder = join(root, 'media/pictures');
const size = { width: 1280, height: 800 };
type Clip = Record<'x' | 'y' | 'width' | 'height', number>;
const largestBytes = 200_000;

describe('the pictures of the readme', () => {
  const editor = useEditor({ extension: 'packaged', trust: 'all', settings: { 'editor.minimap.enabled': false } });

  /** `<name>-light.png` and `<name>-dark.png`. */
  async function take({ page, workbench }: EditorWindow, name: string, clip?: Clip): Promise<void> {
    mkdirSync(folder, { recursive: true });
    for (const theme of ['light', 'dark'] as const) {
      await editor().useTheme(theme);
      await page.mouse.move(size.width / 2, size.height - 5);
      await page.waitForTimeout(700); // pages redraw their charts in the new colours
      await workbench.straighten();
      const path = join(folder, `${name}-${theme}.png`);
      await page.screenshot({ path, ...(clip && { clip }) });
      expect(statSync(path).size, path).toBeLessThan(largestBytes);
    }
  }

  it('show a run and a comparison', async () => {
    const window = await editor().openWindow(editor().makeWorkspace('harbour-museum', join(root, 'media/sample')));
    const { page, workbench } = window;
    await page.setViewportSize(size);
    const menu = await workbench.openExplorerMenu('harbour-museum.jsonl', workbench.activityBarIcon('Tuning Fork'));
    await menu.choose('Fine-tune with this dataset');
    const form = await FormPage.open(workbench);
    await form.frame.getByText('Set to suit this model and dataset').waitFor();
    await form.waitUntilReady();
    for (const view of ['Runs', 'Adapters']) await workbench.pane(view).locator('.pane-header').first().click();
    await form.frame.evaluate('window.scrollTo(0, 0)');
    await take(window, 'form', { x: 0, y: 0, width: 350, height: size.height });
    for (const view of ['Runs', 'Adapters']) await workbench.pane(view).locator('.pane-header').first().click();
    await form.startButton.click();

    const panel = await RunPage.open(workbench);
    await panel.waitForState('running');
    await panel.waitForStep(200);
    await take(window, 'run');
    await panel.waitForState('finished', 400_000);

    await panel.button('Compare…').click();
    const compare = await ComparePage.open(workbench);
    await compare.frame.getByText(/Held-out row 1 of/).waitFor({ timeout: 120_000 });
    await expect.poll(() => compare.prompt.inputValue()).not.toBe('');
    await compare.button('Run').click();
    await compare.waitForAnswers();
    await page.keyboard.press('Control+KeyB');
    await workbench.runCommand('Notifications: Clear All Notifications');
    await take(window, 'compare');
  });
});
