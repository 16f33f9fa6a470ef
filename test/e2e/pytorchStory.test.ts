/** The PyTorch engine in the editor: set up, trained with, its adapter compared. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from '../../src/tools/paths.mjs';
import { findPython } from '../../src/tools/python.mjs';
import { makeTemporaryFolder } from '../support/temporaryFolder.ts';
import { keepScreenshot } from './support/artefacts.ts';
import { answerKinds, ComparePage } from './support/comparePage.ts';
import type { EditorWindow } from './support/editor.ts';
import { FormPage } from './support/formPage.ts';
import { listRunFolders, readJson, readMetrics } from './support/runFolder.ts';
import { RunPage } from './support/runPage.ts';
import { useEditor } from './support/useEditor.ts';

const dataset = 'harbour-museum.jsonl';
const steps = 40;
const python = findPython();

const programs = makeTemporaryFolder();
afterAll(() => programs.remove());

/** A program of this folder. */
function writeProgram(name: string, text: string): string {
  const path = join(programs.path, name);
  writeFileSync(path, `#!/bin/sh\n${text}`);
  chmodSync(path, 0o755);
  return path;
}

/** A uv that takes the suite's own Python for the environment that it is asked to make: nothing is fetched. */
const uv = `case "$1" in
--version) echo "uv 0.9.9" ;;
venv) for last; do :; done
  mkdir -p "$last/bin" && printf '#!/bin/sh\\nexec "${python}" "$@"\\n' > "$last/bin/python" && chmod 755 "$last/bin/python" ;;
pip) for name in torch transformers peft trl; do echo "Downloading $name"; sleep 0.4; done ;;
esac
`;

describe.skipIf(python === undefined || process.platform === 'win32')('train with PyTorch', () => {
  writeProgram('uv', uv);
  const editor = useEditor({
    extension: 'packaged',
    trust: 'all',
    env: {
      PATH: `${programs.path}:${process.env.PATH}`,
      // The server would ask a login shell for another PATH.
      VSCODE_CLI: '1',
      // What the machine has of these is not the story's.
      TUNING_FORK_PYTHON: '',
      TUNING_FORK_CACHE: join(programs.path, 'cache'),
    },
  });

  async function keepBothThemes({ page }: EditorWindow, name: string): Promise<void> {
    for (const theme of ['dark', 'light'] as const) {
      await editor().useTheme(theme);
      await page.waitForTimeout(500); // pages redraw in the new colours
      await keepScreenshot(page, `story pytorch ${name} ${theme}`);
    }
  }

  it('is set up after asking, trains the same form, is watched and compared', async () => {
    const window = await editor().openWindow(editor().makeWorkspace('pytorch', join(root, 'media/sample')));
    const { workbench, workspace, page } = window;
    const menu = await workbench.openExplorerMenu(dataset, workbench.activityBarIcon('Tuning Fork'));
    await menu.choose('Fine-tune with this dataset');
    const form = await FormPage.open(workbench);
    await form.frame.getByText('Set to suit this model and dataset').waitFor();
    await form.set('maxSteps', String(steps));
    await form.set('threads', '1'); // more of them wait for each other where a machine is busy

    // Without Python the form says what is missing and offers it; what it would do is said before it is done.
    await form.choose('engine', 'PyTorch');
    const card = form.frame.locator('.engine-card');
    await card.getByText('PyTorch is not set up yet.').waitFor();
    await expect.poll(() => form.startButton.getAttribute('disabled')).not.toBeNull();
    await keepBothThemes(window, 'missing');
    await card.getByRole('button', { name: 'Set Up PyTorch…' }).click();
    await workbench.dialog.getByText(/torch 2\..*transformers 5\./).waitFor();
    await keepBothThemes(window, 'question');
    await workbench.clickDialogButton('Install');
    await workbench.notification(/Setting up PyTorch/).waitFor();
    await keepScreenshot(page, 'story pytorch installing');
    await workbench.notification(/PyTorch is ready: Python 3/).waitFor({ timeout: 120_000 });
    await card.getByText('Trains with the PyTorch engine.').waitFor();

    // A Python of one's own wins: one that lacks the packages is told with the command that mends it.
    editor().changeSettings({ 'tuningFork.pythonPath': writeProgram('bare-python', `exec "${python}" -I -S "$@"\n`) });
    await card.getByText('This Python cannot run PyTorch.').waitFor({ timeout: 60_000 });
    expect(await card.innerText()).toMatch(
      /torch, transformers, peft and \d+ other packages are missing.*-m pip install -r /s,
    );
    await keepBothThemes(window, 'broken');
    editor().changeSettings({ 'tuningFork.pythonPath': python });
    await card.getByText('Trains with the PyTorch engine.').waitFor({ timeout: 60_000 });
    await form.waitUntilReady();
    await form.frame.getByText(/Peak memory/).waitFor();
    await keepBothThemes(window, 'ready');

    await form.startButton.click();
    const panel = await RunPage.open(workbench);
    await expect.poll(() => listRunFolders(workspace)).toHaveLength(1);
    const [run] = listRunFolders(workspace) as [string];
    expect(readJson(run, 'run.json')).toMatchObject({ engine: 'pytorch', hyperparameters: { engine: 'pytorch' } });
    // Lines are drawn while Python trains.
    await panel.waitForStep(5, 180_000);
    await keepBothThemes(window, 'running');
    await panel.waitForState('finished', 300_000);
    const end = readMetrics(run);
    expect([...end.losses.keys()]).toEqual(Array.from({ length: steps }, (_, i) => i + 1));
    const drawn = await panel.waitForStep(steps);
    for (const [i, step] of drawn.step.entries()) {
      if (drawn.raw[i] !== null) expect(drawn.raw[i], `loss of step ${step}`).toBe(end.losses.get(step));
    }
    expect(readFileSync(join(run, 'log.txt'), 'utf8')).toMatch(/PyTorch 2\..*float32, 1 process$/m);
    expect(existsSync(join(run, 'adapter/adapter_model.safetensors'))).toBe(true);
    await keepBothThemes(window, 'finished');

    await panel.button('Compare…').click();
    const compare = await ComparePage.open(workbench);
    await compare.frame.getByText(/Held-out row 1 of/).waitFor({ timeout: 120_000 });
    await expect.poll(() => compare.prompt.inputValue()).not.toBe('');
    await compare.button('Run').click();
    const answers = await compare.waitForAnswers();
    for (const kind of answerKinds) expect(answers[kind], kind).not.toBe('');
    expect(answers.adapter).not.toBe(answers.base);
    await keepBothThemes(window, 'compare');
    expect(window.problems.errors).toEqual([]);
  });
});
