import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { keepScreenshot } from './support/artefacts.ts';
import { useEditor } from './support/useEditor.ts';

describe('VS Code without the extension', () => {
  const editor = useEditor({ extension: 'none', trust: 'ask' });

  it('opens a folder in Restricted Mode, and trusting it takes one click', async () => {
    const workspace = editor().makeWorkspace('plain');
    writeFileSync(join(workspace, 'train.jsonl'), '{"prompt": "a", "completion": "b"}\n');
    const { workbench, page } = await editor().openWindow(workspace);
    await workbench.explorerRow('train.jsonl').waitFor();
    await workbench.isRestricted.waitFor();
    await keepScreenshot(page, 'restricted');
    await workbench.trustWorkspace();
    await workbench.openFile('train.jsonl');
    await workbench.selectLine('prompt');
    const menu = await workbench.openExplorerMenu('train.jsonl', workbench.activityBarIcon('Explorer'));
    expect(await menu.readItems()).toContain('Rename...');
    expect(await menu.item('Fine-tune').count()).toBe(0);
    await menu.close();
    await editor().useTheme('dark');
    await keepScreenshot(page, 'trusted dark');
    await editor().useTheme('light');
    await keepScreenshot(page, 'trusted light');
  });
});
