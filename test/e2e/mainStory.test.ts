import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../../src/tools/paths.mjs';
import { keepScreenshot } from './support/artefacts.ts';
import { answerKinds, ComparePage } from './support/comparePage.ts';
import type { EditorWindow } from './support/editor.ts';
import { FormPage } from './support/formPage.ts';
import { listRunFolders, readJson, readMetrics } from './support/runFolder.ts';
import { type DrawnLoss, RunPage } from './support/runPage.ts';
import { useEditor } from './support/useEditor.ts';

const dataset = 'harbour-museum.jsonl';
/** Long enough for three readings, pictures and a reload in its middle, on a fast machine too. */
const steps = 900;

/** Every drawn value is the run folder's, and nothing that the folder held before the reading is missing. */
function expectDrawnAsWritten(drawn: DrawnLoss, run: string, before: ReturnType<typeof readMetrics>): void {
  const { losses, heldOut } = readMetrics(run);
  for (const [i, step] of drawn.step.entries()) {
    if (drawn.raw[i] !== null) expect(drawn.raw[i], `loss of step ${step}`).toBe(losses.get(step));
    if (drawn.heldOut[i] !== null) expect(drawn.heldOut[i], `held-out loss of step ${step}`).toBe(heldOut.get(step));
  }
  for (const step of before.losses.keys()) expect(drawn.step, 'steps drawn').toContain(step);
}

describe('the main job, with the packaged extension', () => {
  const editor = useEditor({ extension: 'packaged', trust: 'ask' });

  async function keepBothThemes({ page }: EditorWindow, name: string): Promise<void> {
    for (const theme of ['dark', 'light'] as const) {
      await editor().useTheme(theme);
      await page.waitForTimeout(500); // pages redraw their charts in the new colours
      await keepScreenshot(page, `${name} ${theme}`);
    }
  }

  it('trusts, trains, watches the loss fall over a reload, compares, and tests a selection', async () => {
    const window = await editor().openWindow(editor().makeWorkspace('sample', join(root, 'media/sample')));
    const { workbench, workspace } = window;

    // Restricted: the dataset is read and checked, and the form says what stands in the way of a start.
    const menu = await workbench.openExplorerMenu(dataset, workbench.activityBarIcon('Tuning Fork'));
    await menu.choose('Fine-tune with this dataset');
    const form = await FormPage.open(workbench);
    await form.frame.getByText('538').first().waitFor();
    await expect.poll(() => form.reason.textContent()).toContain('Restricted Mode');
    await keepBothThemes(window, 'story form restricted');
    await form.frame.getByRole('button', { name: 'Trust this folder' }).click();
    await workbench.grantTrust();

    // What suits the model is set already; two hyperparameters of one's own, then the start.
    await form.frame.getByText('Set to suit this model and dataset').waitFor();
    await form.set('rank', '8');
    await form.set('maxSteps', String(steps));
    await form.waitUntilReady();
    await keepBothThemes(window, 'story form ready');
    await form.startButton.click();

    // The curve grows, and is the file's.
    let panel = await RunPage.open(workbench);
    await expect.poll(() => listRunFolders(workspace)).toHaveLength(1);
    const [run] = listRunFolders(workspace) as [string];
    expect(readJson(run, 'run.json')).toMatchObject({
      hyperparameters: { rank: 8, maxSteps: steps, learningRate: 0.004, contextTokens: 128 },
    });
    let reached = 0;
    for (let reading = 1; reading <= 3; reading++) {
      const before = readMetrics(run);
      const drawn = await panel.waitForStep(Math.max(reached + 5, ...before.losses.keys()));
      expectDrawnAsWritten(drawn, run, before);
      expect(await panel.countPaintedPixels()).toBeGreaterThan(500);
      reached = drawn.step.at(-1)!;
    }
    await workbench.statusBarItem(/loss \d/).waitFor();
    await keepBothThemes(window, 'story run running');

    // A reload in the middle changes nothing.
    expect(await panel.state()).toBe('running');
    const beforeReload = readMetrics(run);
    await workbench.reload();
    panel = await RunPage.open(workbench);
    // Waited for from now on, because a notification hides itself after some seconds.
    const told = workbench
      .notification(/finished/)
      .first()
      .waitFor({ timeout: 300_000 });
    expectDrawnAsWritten(await panel.waitForStep(reached), run, beforeReload);

    await Promise.all([told, panel.waitForState('finished', 300_000)]);
    const end = readMetrics(run);
    const drawn = await panel.waitForStep(steps);
    expectDrawnAsWritten(drawn, run, end);
    expect([...end.losses.keys()]).toEqual(Array.from({ length: steps }, (_, i) => i + 1));
    expect(drawn.heldOut.filter(value => value !== null)).toEqual([...end.heldOut.values()]);
    const { bestEvalLossNats } = readJson<{ bestEvalLossNats: number }>(run, 'status.json');
    expect(bestEvalLossNats).toBeLessThan(0.5 * end.heldOut.get(0)!);
    await keepBothThemes(window, 'story run finished');

    // Three answers to a held-out question, each with its speed.
    await panel.button('Compare…').click();
    const compare = await ComparePage.open(workbench);
    await compare.frame.getByText(/Held-out row 1 of/).waitFor({ timeout: 120_000 });
    await expect.poll(() => compare.prompt.inputValue()).not.toBe('');
    await compare.button('Run').click();
    const answers = await compare.waitForAnswers();
    for (const kind of answerKinds) {
      expect(answers[kind], kind).not.toBe('');
      expect(await compare.stats(kind).innerText()).toMatch(/first token .*tokens\/s/);
    }
    expect(answers.adapter).not.toBe(answers.base);
    expect(await compare.reference.innerText()).not.toBe('');
    await keepBothThemes(window, 'story compare');

    // The same adapter answers a selection of any editor.
    const question = 'Which soup is there on Saturday?';
    writeFileSync(join(workspace, 'notes.md'), `# Notes\n\n${question}\n`);
    await workbench.openContainer('Explorer');
    await workbench.openFile('notes.md');
    await workbench.selectLine('Which soup');
    const editorMenu = await workbench.openEditorMenu('Which soup');
    await editorMenu.choose('Test Selection Against Adapter');
    const tested = await ComparePage.open(workbench);
    await expect.poll(() => tested.prompt.inputValue()).toBe(question);
    await expect.poll(() => tested.answer('adapter').innerText()).not.toBe(answers.adapter);
    await tested.waitForAnswers();
    await keepBothThemes(window, 'story selection');
    expect(window.problems.errors).toEqual([]);
  });
});
