import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PipelineProgress } from '../../src/shared/pipeline.ts';
import { keepScreenshot } from './support/artefacts.ts';
import type { EditorWindow } from './support/editor.ts';
import { PipelinePage } from './support/pipelinePage.ts';
import { listRunFolders, readJson } from './support/runFolder.ts';
import { useEditor } from './support/useEditor.ts';

const file = 'three.pipeline.yaml';
const letter = (i: number) => String.fromCharCode(97 + (i % 26));
const pipelineText = `model: tiny
set: { contextTokens: 64, maxSteps: 30, evalEverySteps: 15, threads: 1, rank: 4, learningRate: 0.004 }
stages:
  - name: domain
    dataset: domain.jsonl
  - name: instructions
    dataset: rows.jsonl
    sett: { epochs: 1 }
  - name: preferences
    dataset: pairs.jsonl
    objective: dpo
`;

function writeWorkspace(workspace: string): void {
  const all = Array.from({ length: 30 }, (_, i) => i);
  const write = (name: string, rows: readonly unknown[]) =>
    writeFileSync(join(workspace, name), rows.map(row => `${JSON.stringify(row)}\n`).join(''));
  write(
    'domain.jsonl',
    all.map(i => ({ text: `The letter ${letter(i)} has the number ${i}.` })),
  );
  write(
    'rows.jsonl',
    all.map(i => ({ question: `Say ${letter(i)} ${i}`, answer: letter(i) })),
  );
  write(
    'pairs.jsonl',
    all.map(i => ({ prompt: `Say ${letter(i)} ${i}`, chosen: letter(i), rejected: letter(i + 1) })),
  );
  writeFileSync(join(workspace, file), pipelineText);
}

describe('three stages', () => {
  const editor = useEditor({ extension: 'packaged', trust: 'all' });

  async function keepBothThemes({ page }: EditorWindow, name: string): Promise<void> {
    for (const theme of ['dark', 'light'] as const) {
      await editor().useTheme(theme);
      await page.waitForTimeout(500); // pages redraw in the new colours
      await keepScreenshot(page, `${name} ${theme}`);
    }
  }

  it('mends the file by its problem, runs the stages, shows what was forgotten, and restarts from the last', async () => {
    const workspace = editor().makeWorkspace('stages');
    writeWorkspace(workspace);
    const window = await editor().openWindow(workspace);
    const { workbench, page } = window;
    await workbench.activityBarIcon('Tuning Fork').waitFor();
    await workbench.openContainer('Explorer');
    await workbench.openFile(file);

    // A wrong name has a squiggle at its place, and its mend is said.
    await page.locator('.squiggly-error').first().waitFor({ timeout: 60_000 });
    await page.locator('.codelens-decoration', { hasText: 'Restart from here' }).nth(2).waitFor();
    await keepBothThemes(window, 'story stages problem');
    writeFileSync(join(workspace, file), pipelineText.replace('sett:', 'set:'));
    await page.locator('.squiggly-error').first().waitFor({ state: 'detached' });

    await page.locator('.codelens-decoration a', { hasText: 'Run pipeline' }).first().click();
    let panel = await PipelinePage.open(workbench);
    await panel.waitForState('finished');
    expect(await panel.stageStates()).toEqual(['finished', 'finished', 'finished']);
    await keepBothThemes(window, 'story stages finished');

    // The table is the run folder's, and each stage is a run beneath the pipeline.
    const pipelines = () =>
      listRunFolders(workspace).filter(run => readJson<{ kind?: string }>(run, 'request.json').kind === 'pipeline');
    const [first] = pipelines() as [string];
    const { stages } = readJson<PipelineProgress>(first, 'pipeline.json');
    const expected = stages.map(({ measures }) => measures.map(({ lossNats }) => lossNats.toFixed(3)));
    expect((await panel.readTable()).map(row => row.filter(text => text !== ''))).toEqual(expected);
    expect(stages.map(({ measures }) => measures.length)).toEqual([1, 2, 3]);
    expect(listRunFolders(workspace).map(run => basename(run))).toEqual(
      expect.arrayContaining(stages.map(({ run }) => run)),
    );

    // The last stage anew: the others are taken as they are.
    await panel.stage('preferences').getByRole('button', { name: 'Restart from here' }).click();
    await expect.poll(() => pipelines().length).toBe(2);
    await expect
      .poll(
        async () => {
          panel = await PipelinePage.open(workbench);
          return await panel.stageStates();
        },
        { timeout: 120_000 },
      )
      .toEqual(['reused', 'reused', 'finished']);
    await keepBothThemes(window, 'story stages restarted');
    expect(window.problems.errors).toEqual([]);
  });
});
