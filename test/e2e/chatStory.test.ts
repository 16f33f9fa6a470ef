import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../../src/tools/paths.mjs';
import { runCli } from '../support/programs.ts';
import { keepScreenshot } from './support/artefacts.ts';
import type { EditorWindow } from './support/editor.ts';
import { useEditor } from './support/useEditor.ts';

const question = 'Which soup is there on Saturday?';

interface Told {
  readonly failure?: string;
  readonly models: { readonly name: string; readonly family: string; readonly maxInputTokens: number }[];
  readonly text: string;
  readonly pieces: number;
  readonly short: string;
  readonly cancelled: string | null;
  readonly tokens: number;
  readonly tools: string | null;
  readonly toolResult: string | null;
}

describe('a tuned run where people work', () => {
  const editor = useEditor({
    extension: 'packaged',
    trust: 'all',
    other: join(root, 'test/e2e/support/chatProbe'),
  });

  async function keepBothThemes({ page }: EditorWindow, name: string): Promise<void> {
    for (const theme of ['dark', 'light'] as const) {
      await editor().useTheme(theme);
      await page.waitForTimeout(500);
      await keepScreenshot(page, `${name} ${theme}`);
    }
  }

  it('answers as a chat model, above a prompt file, and over the server, the same each time', async () => {
    const workspace = editor().makeWorkspace('chat', join(root, 'media/sample'));
    const store = join(workspace, '.tuning-fork');
    const place = {
      folder: workspace,
      store,
      env: { ...process.env, TUNING_FORK_STATE: join(editor().folder, 'state') },
    };
    const settings = { maxSteps: 60, evalEverySteps: 30, contextTokens: 128, learningRate: 0.004 };
    const set = Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
    const dataset = join(workspace, 'harbour-museum.jsonl');
    const trained = await runCli(['train', dataset, '--model', 'tiny', '--name', 'museum', ...set, '--json'], place);
    const { path: run } = trained.lines.at(-1) as { path?: string };
    const asked = ['generate', '--adapter', run!, '--prompt', question, '--max-tokens', '1024', '--json'];
    const { text: expected } = (await runCli(asked, place)).lines.at(-1) as { text?: string };
    expect(expected).toMatch(/\w/);
    writeFileSync(join(workspace, 'soup.prompt.md'), `---\nagent: ask\n---\n\n${question}\n`);

    const window = await editor().openWindow(workspace);
    const { workbench, page } = window;
    await workbench.activityBarIcon('Tuning Fork').waitFor({ timeout: 120_000 });
    await workbench.openContainer('Tuning Fork');
    await workbench.treeRow('Adapters', 'museum').waitFor();

    await workbench.runCommand('Chat Probe: Ask the chat models');
    const file = join(store, 'told.json');
    await expect
      .poll(() => existsSync(file) && readFileSync(file, 'utf8').endsWith('}'), { timeout: 120_000 })
      .toBe(true);
    const told = JSON.parse(readFileSync(file, 'utf8')) as Told;
    expect(told.failure).toBeUndefined();
    expect(told.models).toMatchObject([{ name: 'museum', family: 'tiny' }]);
    expect(told.text).toBe(expected);
    expect(told.pieces).toBeGreaterThan(1);
    expect(expected!.startsWith(told.short)).toBe(true);
    expect(told.short.length).toBeLessThan(expected!.length);
    expect(told.tokens).toBeGreaterThan(3);
    expect(told.tools).toContain('expected no tools');
    expect(told.toolResult).toContain('expected text alone');

    // Above the prompt of a file; the answer comes beside it.
    await workbench.openContainer('Explorer');
    await workbench.openFile('soup.prompt.md');
    await page.locator('.codelens-decoration a', { hasText: 'Run with adapter museum' }).click();
    await workbench.editorTab('soup (museum).md').waitFor();
    const answer = page.locator('.editor-group-container').last().locator('.view-lines');
    const words = (text: string) => text.replaceAll('\u00a0', ' ').replace(/\s+/g, ' ').trim();
    await expect.poll(async () => words(await answer.innerText())).toContain(words(expected!).slice(0, 40));
    await keepBothThemes(window, 'story prompt file');

    // Over the server, for those who know the key.
    await workbench.runCommand('Start Server (OpenAI-compatible)');
    const item = workbench.statusBarItem(/127\.0\.0\.1:\d+/);
    await item.waitFor({ timeout: 60_000 });
    await item.click();
    await workbench.quickPickRow('Copy Key').waitFor();
    await keepBothThemes(window, 'story server');
    await page.keyboard.press('Escape');
    const address = /127\.0\.0\.1:\d+/.exec(await item.innerText())![0];
    const refused = await fetch(`http://${address}/v1/models`, { headers: { authorization: 'Bearer wrong' } });
    expect(refused.status).toBe(401);
    await workbench.runCommand('Stop Server');
    await item.waitFor({ state: 'detached' });
    await expect(fetch(`http://${address}/v1/models`)).rejects.toThrow('fetch failed');
    expect(window.problems.errors).toEqual([]);
  });
});
