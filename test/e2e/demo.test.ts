import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { root } from '../../src/tools/paths.mjs';
import { keepLog, keepScreenshot } from './support/artefacts.ts';
import { launchBrowser } from './support/browser.ts';
import { Workbench } from './support/workbench.ts';

describe('npm run demo', () => {
  it('trains, shows answers and losses, serves VS Code, and leaves nothing behind', async () => {
    const child = spawn(process.execPath, [join(root, 'src/tools/demo.mjs')], { cwd: root });
    let output = '';
    const ended = new Promise<number | null>(resolve => child.once('exit', resolve));
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', text => (output += text));
    onTestFinished(() => {
      keepLog('demo', output);
      child.kill('SIGTERM');
    });
    await expect.poll(() => output, { timeout: 400_000 }).toMatch(/http:\/\/127\.0\.0\.1:\d+\/\S+|failed/);
    const address = output.match(/http:\/\/127\.0\.0\.1:\d+\/\S+/)?.[0];
    expect(address, output).toBeDefined();

    const lossOf = (when: string) => Number(output.match(new RegExp(`${when} +(\\d+\\.\\d+)`))?.[1]);
    expect(lossOf('after')).toBeLessThan(0.5 * lossOf('before'));
    expect(Number(output.match(/steps in (\d+) s/)?.[1])).toBeLessThan(180);
    expect(output).toMatch(/\[#+-+\] +\d+ % step \d+, loss/);
    expect(output.match(/^ {4}tuned +[A-Z].*[.?!]$/gm)).toHaveLength(6);
    const vsix = output.match(/code --install-extension (\S+\.vsix)/)![1]!;
    expect(existsSync(vsix)).toBe(true);

    const profile = mkdtempSync(join(tmpdir(), 'tuning-fork-demo-browser-'));
    const browser = await launchBrowser(profile);
    onTestFinished(async () => {
      await browser.close();
      rmSync(profile, { recursive: true, force: true });
    });
    const page = await browser.newPage();
    await page.goto(address!);
    const workbench = new Workbench(page);
    await workbench.waitUntilReady();
    const menu = await workbench.openExplorerMenu('harbour-museum.jsonl', workbench.activityBarIcon('Tuning Fork'));
    expect(await menu.readItems()).toContain('Fine-tune with this dataset...');
    await menu.close();
    await workbench.openContainer('Tuning Fork');
    await workbench.treeRow('Runs', 'harbour-museum').waitFor();
    await keepScreenshot(page, 'demo');

    child.kill('SIGINT');
    expect(await ended).toBe(0);
    await expect(fetch(address!)).rejects.toThrow();
    expect(existsSync(new URL(address!).searchParams.get('folder')!)).toBe(false);
  });
});
