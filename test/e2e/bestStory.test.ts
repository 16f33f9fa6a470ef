import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { studySnapshotSchema } from '../../src/shared/studySnapshot.ts';
import { keepScreenshot } from './support/artefacts.ts';
import type { EditorWindow } from './support/editor.ts';
import { FormPage } from './support/formPage.ts';
import { listRunFolders, readJson } from './support/runFolder.ts';
import { StudyPage } from './support/studyPage.ts';
import { useEditor } from './support/useEditor.ts';

const dataset = 'letters.jsonl';

/** Some rows stand twice, so that there is something to clean. */
function writeDataset(workspace: string): void {
  const letter = (i: number) => String.fromCharCode(97 + (i % 26));
  const rows = Array.from({ length: 60 }, (_, i) => ({ question: `Which letter has number ${i}?`, answer: letter(i) }));
  const lines = [...rows, ...rows.slice(0, 20)].map(row => `${JSON.stringify(row)}\n`);
  writeFileSync(join(workspace, dataset), lines.join(''));
}

describe('find the best', () => {
  const editor = useEditor({ extension: 'packaged', trust: 'all' });

  async function keepBothThemes({ page }: EditorWindow, name: string): Promise<void> {
    for (const theme of ['dark', 'light'] as const) {
      await editor().useTheme(theme);
      await page.waitForTimeout(500); // pages redraw their charts in the new colours
      await keepScreenshot(page, `${name} ${theme}`);
    }
  }

  it('takes a time, shows its trials as they come, and opens the report', async () => {
    const workspace = editor().makeWorkspace('best');
    writeDataset(workspace);
    const window = await editor().openWindow(workspace);
    const { workbench, page } = window;
    const menu = await workbench.openExplorerMenu(dataset, workbench.activityBarIcon('Tuning Fork'));
    await menu.choose('Fine-tune with this dataset');
    const form = await FormPage.open(workbench);
    await form.waitUntilReady();
    await keepBothThemes(window, 'story best form');
    await form.findBestButton.click();
    // No number, no start.
    await workbench.answerQuickInput('soon');
    await page.getByText('Expected a number of minutes above 0.').waitFor();
    await workbench.answerQuickInput('0.5');

    const study = await StudyPage.open(workbench);
    await study.trials().first().waitFor({ timeout: 120_000 });
    await keepBothThemes(window, 'story best running');
    await study.waitForState('finished', 300_000);
    await keepBothThemes(window, 'story best finished');

    // What is shown is the search's own folder; each trial is a run beneath it.
    const kindOf = (run: string) => readJson<{ kind?: string }>(run, 'request.json').kind;
    const search = listRunFolders(workspace).find(run => kindOf(run) === 'search')!;
    const { trials, winner } = studySnapshotSchema.parse(readJson(search, 'study.json'));
    expect(trials.length).toBeGreaterThan(0);
    expect((await study.readTrials()).map(({ number }) => number)).toEqual(trials.map(({ number }) => number));
    expect(await study.lines.count()).toBeGreaterThan(0);
    expect(winner).toMatchObject({ testRows: expect.any(Number), testLossNats: expect.any(Number) });

    await study.button('Open report').click();
    const report = await workbench.webview('h1:has-text("Search:")', 60_000);
    for (const part of ['What was chosen', 'How it was decided', 'Beside the best prompt', 'What was tried']) {
      await report.getByRole('heading', { name: part }).waitFor();
    }
    await keepBothThemes(window, 'story best report');
    expect(window.problems.errors).toEqual([]);
  });
});
