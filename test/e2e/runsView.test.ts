import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeEvaluation, makeRecord, makeRequest, makeStatus, makeStep, writeRun } from '../unit/host/runFixture.ts';
import { keepScreenshot } from './support/artefacts.ts';
import type { EditorWindow } from './support/editor.ts';
import { RunPage } from './support/runPage.ts';
import { useEditor } from './support/useEditor.ts';

const ids = {
  failed: '20261124-093000-capitals-1f3a',
  interrupted: '20261124-093100-support-0b2c',
} as const;
const longName = 'customer support conversations 2025, cleaned, final version 3, with a longer context and more epochs';
const reason = `step 7: expected a finite loss, got NaN; ${'the gradient norm rose from 3.1 to 310,000 before. '.repeat(8)}`;

const toLines = (rows: readonly object[]) => rows.map(row => `${JSON.stringify(row)}\n`).join('');

describe('runs that others left in the folder', () => {
  const editor = useEditor({ extension: 'packaged', trust: 'ask' });

  function makeWorkspace(): { workspace: string; store: string } {
    const workspace = editor().makeWorkspace('left runs');
    const store = join(workspace, '.tuning-fork');
    const path = join(workspace, 'capitals.jsonl');
    writeFileSync(path, '{"question":"Capital of France?","answer":"Paris."}\n');
    const [dataset] = makeRecord(ids.failed).datasets;
    const series = toLines([
      makeEvaluation(0),
      ...Array.from({ length: 6 }, (_, i) => makeStep(i + 1)),
      makeEvaluation(6, { evalLossNats: 2.1 }),
    ]);
    for (const [id, state] of [
      [ids.failed, 'failed'],
      [ids.interrupted, 'running'],
    ] as const) {
      const error = { code: 'not-finite' as const, message: reason, hint: 'Lower the learning rate and resume.' };
      writeRun(store, id, {
        'run.json': makeRecord(id, { datasets: [{ ...dataset!, path }] }),
        'request.json': makeRequest({ datasets: [{ path, mapping: null }] }),
        'status.json': makeStatus({
          state,
          step: 6,
          bestStep: 6,
          bestEvalLossNats: 2.1,
          error: state === 'failed' ? error : null,
        }),
        'notes.json': { name: state === 'failed' ? 'capitals' : longName, tags: [], note: '', pinned: false },
        'metrics.jsonl': series,
        'log.txt': 'step 6: checkpoint\n',
      });
    }
    return { workspace, store };
  }

  async function keepBothThemes({ page }: EditorWindow, name: string): Promise<void> {
    for (const theme of ['dark', 'light'] as const) {
      await editor().useTheme(theme);
      await page.waitForTimeout(500); // pages redraw their charts in the new colours
      await keepScreenshot(page, `runs ${name} ${theme}`);
    }
  }

  it('shows each as it is, looks into it without trust, and deletes it once it said what that frees', async () => {
    const { workspace, store } = makeWorkspace();
    const window = await editor().openWindow(workspace);
    const { workbench } = window;
    await workbench.openContainer('Tuning Fork');
    await workbench.treeRow('Runs', 'interrupted').waitFor();
    await workbench.treeRow('Runs', 'customer support conver…interrupted').waitFor();
    const failed = workbench.treeRow('Runs', 'capitals');
    expect(await failed.innerText()).toMatch(/failed · 6\/10 · held-out 2\.1/);

    await failed.click();
    const panel = await RunPage.open(workbench);
    await panel.waitForState('failed');
    await panel.frame.getByText('capitals.jsonl has changed').waitFor();
    expect(await panel.frame.getByText('Lower the learning rate and resume.').count()).toBe(1);
    await keepBothThemes(window, 'failed');
    await workbench.treeRow('Runs', 'interrupted').click();
    await workbench.editorTab(/customer support/).waitFor();
    await keepBothThemes(window, 'interrupted');

    // Restricted Mode: going on starts a program.
    await workbench.runCommand('Tuning Fork: Resume Run');
    await workbench.quickPickRow('capitals').click();
    await workbench.notification(/not trusted/).waitFor();
    await workbench.runCommand('Notifications: Clear All Notifications');

    await failed.click({ button: 'right' });
    await workbench.menu.choose('Delete');
    await workbench.dialog.getByText('Delete the run "capitals"?').waitFor();
    expect(await workbench.dialog.innerText()).toMatch(/This frees [\d.]+ KiB and cannot be undone/);
    await keepBothThemes(window, 'delete');
    await workbench.clickDialogButton('Cancel');
    expect(existsSync(join(store, 'runs', ids.failed))).toBe(true);
    await workbench.runCommand('Tuning Fork: Delete Run');
    await workbench.quickPickRow('capitals').click();
    await workbench.clickDialogButton('Delete');
    await failed.waitFor({ state: 'detached' });
    expect(existsSync(join(store, 'runs', ids.failed))).toBe(false);
    expect(existsSync(join(store, 'runs', ids.interrupted))).toBe(true);
    expect(window.problems.errors).toEqual([]);
  });
});
