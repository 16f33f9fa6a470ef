import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { keepScreenshot } from './support/artefacts.ts';
import { useEditor } from './support/useEditor.ts';

const row = `${JSON.stringify({ prompt: 'What is a fork?', completion: 'A tool with tines.' })}\n`;

describe.each(['packaged', 'development'] as const)('the extension, %s', extension => {
  const editor = useEditor({ extension, trust: 'ask' });

  it('offers fine-tuning on datasets and on nothing else', async () => {
    const workspace = editor().makeWorkspace('menus');
    for (const file of ['train.jsonl', 'train.json', 'train.csv', 'notes.log'])
      writeFileSync(join(workspace, file), row);
    const { workbench, page, problems } = await editor().openWindow(workspace);
    await workbench.isRestricted.waitFor();
    const ready = workbench.activityBarIcon('Tuning Fork');
    for (const file of ['train.jsonl', 'train.json', 'train.csv', 'notes.log']) {
      const menu = await workbench.openExplorerMenu(file, ready);
      const offered = (await menu.readItems()).filter(item => item.includes('Fine-tune with this dataset'));
      expect(offered, file).toHaveLength(file.endsWith('.log') ? 0 : 1);
      await menu.close();
    }
    await workbench.openContainer('Tuning Fork');
    await workbench.pane('Runs').waitFor();
    await keepScreenshot(page, `activation ${extension}`);
    expect(problems.errors).toEqual([]);
    const logs = editor().readLogs();
    expect(logs).toContain('_doActivateExtension tuning-fork.tuning-fork');
    expect(logs).not.toMatch(/Activating extension \S*tuning-fork\S* failed/i);
  });
});
