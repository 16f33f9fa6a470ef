import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makePlace, runCli } from '../support/programs.ts';
import { writeTinyDataset } from '../support/tinyModel.ts';
import { keepScreenshot } from './support/artefacts.ts';
import { useEditor } from './support/useEditor.ts';

describe('an export', () => {
  const editor = useEditor({ extension: 'packaged', trust: 'all' });

  it('offers formats with their sizes, writes the one that is picked, and gives the command that starts it', async () => {
    const workspace = editor().makeWorkspace('export');
    const place = { ...makePlace(), folder: workspace };
    writeTinyDataset(join(workspace, 'rows.jsonl'));
    const set = ['maxSteps=2', 'contextTokens=64', 'threads=1'].flatMap(setting => ['--set', setting]);
    const trained = await runCli(
      ['train', 'rows.jsonl', '--model', 'tiny', '--name', 'letters', '--json', ...set],
      place,
    );
    expect(trained.errorText).toBe(trained.code === 0 ? trained.errorText : '');

    const window = await editor().openWindow(workspace);
    const { workbench, page } = window;
    await workbench.openContainer('Tuning Fork');
    const row = workbench.treeRow('Adapters', 'letters');
    await row.click({ button: 'right' });
    await workbench.menu.choose('Export...');
    const choice = workbench.quickPickRow(/GGUF model.*q8_0/);
    await choice.waitFor();
    expect(await choice.innerText()).toMatch(/about [\d.]+ MiB[\s\S]*llama\.cpp, Ollama and LM Studio/);
    for (const theme of ['dark', 'light'] as const) {
      await editor().useTheme(theme);
      await page.waitForTimeout(300);
      await keepScreenshot(page, `export formats ${theme}`);
    }
    await choice.click();
    await workbench.answerQuickInput(`${workspace}/`);
    await workbench.notification(/Exported to .*letters-gguf-q8_0/).waitFor({ timeout: 120_000 });
    await keepScreenshot(page, 'export done');
    await workbench.clickNotificationButton(/Exported to/, 'Copy Command');
    // By its name: rows are used again, and keep the hidden text of what stood there before.
    const command = page.locator('.quick-input-widget .monaco-list-row[aria-label^="llama.cpp"]');
    await command.waitFor();
    await keepScreenshot(page, 'export commands');
    await command.click();
    const out = join(workspace, 'letters-gguf-q8_0');
    expect(existsSync(join(out, 'Modelfile'))).toBe(true);
    expect(readdirSync(out)).toContain('letters-q8_0.gguf');
    expect(readFileSync(join(out, 'README.md'), 'utf8')).toContain('likeliest tokens are the same');
    expect(window.problems.errors).toEqual([]);
  });
});
