import { describe, expect, it } from 'vitest';
import { hyperparameterTable } from '../../src/shared/hyperparameters.ts';
import { type RunMessage, type RunState, runMessageSchema } from '../../src/shared/pages.ts';
import { findOverflow, readControls } from './accessibility.ts';
import { drawn, type OpenPage } from './openPage.ts';
import { usePage } from './pageTest.ts';
import { makeEvaluations, makeSteps, runSnapshots } from './snapshots/run.ts';
import { themes } from './themes.ts';

const open = usePage('run', 1000);
const show = (run: OpenPage, state: RunState) => run.show({ type: 'run/state', state });
const series = (run: OpenPage) => run.page.evaluate(() => window.__tuningForkChart!);
const button = (run: OpenPage, name: string) => run.page.getByRole('button', { name, exact: true });

/** What the page sent after it was ready, each message accepted by the host's schema. */
async function asked(run: OpenPage): Promise<RunMessage[]> {
  await drawn(run.page);
  return (await run.sent()).map(message => runMessageSchema.parse(message)).filter(({ type }) => type !== 'page/ready');
}

/** How many pixels of the loss chart's canvas are close to a colour. */
function countPixels(run: OpenPage, [red, green, blue]: [number, number, number]): Promise<number> {
  return run.page.evaluate(
    ([r, g, b]) => {
      const canvas = document.querySelector<HTMLCanvasElement>('.chart canvas')!;
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let i = 0; i < data.length; i += 4) {
        const isNear = [r, g, b].every((value, channel) => Math.abs(data[i + channel]! - value) < 12);
        if (isNear && data[i + 3]! > 200) count++;
      }
      return count;
    },
    [red, green, blue] as const,
  );
}

describe('run page', () => {
  for (const theme of Object.values(themes)) {
    it(`draws every state in ${theme.name} without complaint or overflow`, async () => {
      const run = await open('none', { theme: theme.name });
      for (const [name, state] of Object.entries(runSnapshots)) {
        await show(run, state);
        await run.screenshot(`run-${name}`);
        expect(await findOverflow(run.page), name).toEqual([]);
        expect(run.complaints, name).toEqual([]);
      }
      await run.close();
    });
  }

  it('says where the run is reported and how far, and asks to open, catch up or upload', async () => {
    const run = await open('none', {});
    await show(run, runSnapshots.running);
    expect(await run.page.locator('.trackers').isVisible()).toBe(false);
    await show(run, runSnapshots.reported);
    const lines = await run.page.locator('.tracker-line').allInnerTexts();
    expect(lines[0]).toMatch(/TensorBoard\s+up to date, step 120/);
    expect(lines[1]).toMatch(/MLflow\s+waiting, step 80, tries again at .*\d/);
    expect(lines[1]).toContain('Nothing is lost');
    expect(lines[2]).toMatch(/Weights & Biases\s+behind, step 40 of 120/);
    await run.page.locator('.tracker-line', { hasText: 'MLflow' }).getByText('Open', { exact: true }).click();
    await button(run, 'Catch up').click();
    await show(run, runSnapshots.uploadable);
    await button(run, 'Upload…').click();
    expect(await asked(run)).toEqual([
      { type: 'run/tracker', kind: 'mlflow', action: 'open' },
      { type: 'run/tracker', kind: 'wandb', action: 'catchUp' },
      { type: 'run/tracker', kind: 'wandb', action: 'sync' },
    ]);
    await run.close();
  });

  it('shows the stages of a pipeline with what each forgot, and asks for a stage and its run', async () => {
    const run = await open('none', {});
    await show(run, runSnapshots.pipelineRunning);
    expect(await run.page.locator('.charts').isVisible()).toBe(false);
    expect(await run.page.locator('.tiles').isVisible()).toBe(false);
    const stages = run.page.locator('.stage');
    expect(await stages.locator('.state-badge').allInnerTexts()).toEqual([
      'Unchanged, not trained again',
      'Finished',
      'Training, step 31/90',
      'Waiting',
    ]);
    // While it runs nothing can be restarted.
    expect(await button(run, 'Restart from here').count()).toBe(0);
    await show(run, runSnapshots.pipelineFinished);
    const rows = run.page.locator('.forgetting tbody tr');
    expect((await rows.nth(2).innerText()).trim().split(/\s+/)).toEqual([
      'preferences',
      '2.301',
      '+0.188',
      '1.396',
      '−0.024',
      '1.220',
    ]);
    const tones = run.page.locator('.forgetting-change[data-tone="worse"]');
    expect(await tones.allInnerTexts()).toEqual(['+0.174', '+0.188']);
    await stages.nth(1).getByRole('button', { name: 'Open run' }).click();
    await stages.nth(3).getByRole('button', { name: 'Restart from here' }).click();
    await button(run, 'medical.pipeline.yaml').click();
    expect(await asked(run)).toEqual([
      { type: 'run/openStage', run: runSnapshots.pipelineFinished.pipeline!.stages[1]!.run },
      { type: 'run/restartStage', stage: 'student' },
      { type: 'run/openPipeline' },
    ]);
    await show(run, runSnapshots.finished);
    expect(await run.page.locator('.charts').isVisible()).toBe(true);
    expect(await stages.count()).toBe(0);
    await run.close();
  });

  it('draws what the objective measures, and nothing of it for plain fine-tuning', async () => {
    const run = await open('none', {});
    const chart = (objective: string) => run.page.locator(`.measure-chart[data-objective="${objective}"]`);
    await show(run, runSnapshots.preference!);
    expect(await chart('dpo').isVisible()).toBe(true);
    expect(await chart('distill').isVisible()).toBe(false);
    const { measures } = await series(run);
    expect(measures!.step.length).toBe(120);
    expect(measures!.columns.map(column => column.length)).toEqual([120, 120, 120, 120]);
    expect(measures!.columns[2]!.at(-1)).toBeGreaterThan(measures!.columns[2]![0]!);
    expect(await run.page.getByText('88 % preferred').isVisible()).toBe(true);
    await show(run, runSnapshots.distillation!);
    expect(await chart('distill').isVisible()).toBe(true);
    expect((await series(run)).measures!.columns.length).toBe(2);
    await show(run, runSnapshots.running!);
    expect(await run.page.locator('.measure-chart:visible').count()).toBe(0);
    expect((await series(run)).measures).toBeNull();
    expect(run.complaints).toEqual([]);
    await run.close();
  });

  for (const width of [400, 700, 1400]) {
    it(`fits a panel ${width} px wide, everything open`, async () => {
      const run = await open('changedDataset', { width, theme: width === 700 ? 'light' : 'dark' });
      await run.page.getByText('Learning rate and gradient norm').click();
      await run.page.getByRole('tab', { name: 'Recipe' }).click();
      await drawn(run.page);
      await run.screenshot('run-open');
      expect(await findOverflow(run.page)).toEqual([]);
      await run.page.getByRole('tab', { name: 'Samples' }).click();
      await drawn(run.page);
      await run.screenshot('run-samples');
      expect(await findOverflow(run.page)).toEqual([]);
      await run.close();
    });
  }

  it('leaves out of the recipe what had no effect on the run', async () => {
    const run = await open('running');
    await run.page.getByRole('tab', { name: 'Recipe' }).click();
    await run.page.getByText('Hyperparameters at their defaults').click();
    const recipe = run.page.locator('.recipe');
    expect(await recipe.innerText()).toContain(hyperparameterTable.seed.label);
    expect(await recipe.innerText()).not.toContain(hyperparameterTable.dpoBeta.label);
    await run.close();
  });

  it('hands the chart exactly the rows of the run, and more as they come', async () => {
    const run = await open('running');
    for (const count of [120, 150, 189]) {
      const steps = makeSteps(count);
      const evaluations = makeEvaluations(count);
      await show(run, { ...runSnapshots.running, steps, evaluations });
      const { loss, rate } = await series(run);
      expect(loss.step).toEqual([0, ...steps.map(row => row.step)]);
      expect(loss.raw).toEqual([null, ...steps.map(row => row.lossNats)]);
      expect(loss.heldOut.filter(value => value !== null)).toEqual(evaluations.map(row => row.evalLossNats));
      expect(rate.learningRate).toEqual(steps.map(row => row.learningRate));
    }
    await run.close();
  });

  it('really paints the held-out loss and the best step in the colours of the theme', async () => {
    for (const [theme, orange, green] of [
      ['dark', [209, 134, 22], [137, 209, 133]],
      ['light', [209, 134, 22], [56, 138, 52]],
    ] as const) {
      const run = await open('finished', { theme });
      expect(await countPixels(run, [...orange])).toBeGreaterThan(200);
      expect(await countPixels(run, [...green])).toBeGreaterThan(50);
      await show(run, {
        ...runSnapshots.finished,
        evaluations: [],
        status: { ...runSnapshots.finished.status!, bestStep: null },
      });
      expect(await countPixels(run, [...orange])).toBe(0);
      expect(await countPixels(run, [...green])).toBe(0);
      await run.close();
    }
  });

  it('takes up the colours when the theme changes', async () => {
    const run = await open('finished', { theme: 'dark' });
    await run.page.evaluate(() => {
      document.documentElement.style.setProperty('--vscode-charts-orange', '#00ff00');
      document.body.className = 'vscode-light';
    });
    await drawn(run.page);
    expect(await countPixels(run, [0, 255, 0])).toBeGreaterThan(200);
    await run.close();
  });

  it('shows both losses at the latest step, and at the cursor', async () => {
    const run = await open('running');
    const legend = run.page.locator('.chart-legend').first();
    const { loss } = await series(run);
    const last = loss.raw.length - 1;
    expect(await legend.textContent()).toContain('Step 120');
    expect(await legend.locator('[data-line="Training loss"] .legend-value').textContent()).toBe(
      loss.raw[last]!.toFixed(3),
    );
    expect(await legend.locator('[data-line="Smoothed"] .legend-value').textContent()).toBe(
      loss.smoothed[last]!.toFixed(3),
    );
    expect(await legend.locator('[data-line="Held-out loss"] .legend-value').textContent()).toContain('(step 114)');
    await run.page.locator('.chart').first().focus();
    await run.page.keyboard.press('Home');
    await run.page.keyboard.press('ArrowRight');
    await drawn(run.page);
    expect(await legend.textContent()).toContain('Step 1');
    expect(await legend.locator('[data-line="Training loss"] .legend-value').textContent()).toBe(
      loss.raw[1]!.toFixed(3),
    );
    await run.close();
  });

  it('shows raw and smoothed loss in a tooltip at the cursor, which stays while the run goes on', async () => {
    for (const theme of ['dark', 'light'] as const) {
      const run = await open('running', { theme });
      const tooltip = run.page.locator('.chart-tooltip').first();
      const over = run.page.locator('.u-over').first();
      const box = (await over.boundingBox())!;
      expect(await tooltip.isVisible()).toBe(false);
      await run.page.mouse.move(box.x + box.width * 0.5, box.y + 120);
      await drawn(run.page);
      const { loss } = await series(run);
      const middle = loss.step.indexOf(60);
      const text = (await tooltip.innerText()).replace(/\s+/g, ' ');
      expect(text).toContain(`Step 60 Training loss ${loss.raw[middle]!.toFixed(3)}`);
      expect(text).toContain(`Smoothed ${loss.smoothed[middle]!.toFixed(3)}`);
      expect(text).toContain('Held-out loss');
      await show(run, { ...runSnapshots.running, remainingMs: 100_000 });
      expect((await tooltip.innerText()).replace(/\s+/g, ' ')).toBe(text);
      expect(await run.page.locator('.chart-legend').first().textContent()).toContain('Step 60');
      await run.screenshot('run-tooltip');
      for (const share of [0.01, 0.99]) {
        await run.page.mouse.move(box.x + box.width * share, box.y + box.height - 4);
        await drawn(run.page);
        const place = (await tooltip.boundingBox())!;
        expect(place.x).toBeGreaterThanOrEqual(box.x);
        expect(place.x + place.width).toBeLessThanOrEqual(box.x + box.width + 1);
        expect(place.y + place.height).toBeLessThanOrEqual(box.y + box.height + 1);
      }
      await run.page.mouse.move(5, 5);
      await drawn(run.page);
      expect(await tooltip.isVisible()).toBe(false);
      expect(run.complaints).toEqual([]);
      await run.close();
    }
  });

  it('zooms where it is dragged, also while the run goes on, and back', async () => {
    const run = await open('running');
    const box = (await run.page.locator('.u-over').first().boundingBox())!;
    await run.page.mouse.move(box.x + box.width * 0.25, box.y + 50);
    await run.page.mouse.down();
    await run.page.mouse.move(box.x + box.width * 0.5, box.y + 60, { steps: 4 });
    await run.page.mouse.up();
    await drawn(run.page);
    const zoomed = (await series(run)).loss.step;
    expect(zoomed[0]).toBeGreaterThanOrEqual(29);
    expect(zoomed.at(-1)).toBeLessThanOrEqual(61);
    await show(run, { ...runSnapshots.running, steps: makeSteps(130) });
    expect((await series(run)).loss.step).toEqual(zoomed);
    await button(run, 'Reset zoom').click();
    await drawn(run.page);
    expect((await series(run)).loss.step.at(-1)).toBe(130);
    await run.close();
  });

  it('smooths as much as the slider says, and remembers it', async () => {
    const run = await open('running');
    await run.page.getByLabel('Smoothing').fill('0');
    const { loss } = await series(run);
    expect(loss.smoothed).toEqual(loss.raw);
    await run.page.reload();
    await drawn(run.page);
    expect((await series(run)).loss.smoothed).toEqual(loss.raw);
    await run.close();
  });

  it('draws a hundred thousand steps with no more points than the screen shows, peaks kept', async () => {
    const run = await open('long');
    const { loss } = await series(run);
    expect(loss.step.length).toBeLessThan(2200);
    const steps = makeSteps(100_000, 100_000);
    const highest = steps.reduce((most, row) => Math.max(most, row.lossNats), 0);
    expect(Math.max(...loss.raw.map(value => value ?? 0))).toBe(highest);
    await run.close();
  });

  it('sends each control, and keeps only the stop open while one is pending', async () => {
    const run = await open('running');
    for (const name of ['Pause', 'Checkpoint now', 'Stop', 'Run again…', 'Reveal folder'])
      await button(run, name).click();
    expect(await asked(run)).toEqual([
      { type: 'run/control', action: 'pause' },
      { type: 'run/control', action: 'checkpoint' },
      { type: 'run/control', action: 'stop' },
      { type: 'run/again' },
      { type: 'run/reveal' },
    ]);
    await show(run, runSnapshots.pausing);
    expect(await button(run, 'Pausing…').isDisabled()).toBe(true);
    expect(await button(run, 'Checkpoint now').isDisabled()).toBe(true);
    expect(await button(run, 'Stop').isEnabled()).toBe(true);
    await show(run, runSnapshots.paused);
    await button(run, 'Resume').click();
    expect((await asked(run)).at(-1)).toEqual({ type: 'run/control', action: 'resume' });
    await run.close();
  });

  it('opens the comparison only when there is something to compare', async () => {
    const run = await open('running');
    expect(await button(run, 'Compare…').isDisabled()).toBe(true);
    await show(run, runSnapshots.finished);
    await button(run, 'Compare…').click();
    expect((await asked(run)).at(-1)).toEqual({ type: 'run/compare' });
    await run.close();
  });

  it('says that the dataset changed and asks for the rows', async () => {
    const run = await open('finished');
    expect(await run.page.getByText('trained on an older version').isVisible()).toBe(false);
    await show(run, { ...runSnapshots.finished, datasetChanged: true });
    await button(run, 'Show what differs').click();
    expect((await asked(run)).at(-1)).toEqual({ type: 'run/showDifferences' });
    await show(run, runSnapshots.changedDataset);
    expect(await run.page.locator('.differences tbody tr').count()).toBe(3);
    await run.close();
  });

  it('follows the log unless the reader has scrolled up', async () => {
    const run = await open('running');
    const log = run.page.locator('.log');
    const fromEnd = () => log.evaluate(pre => pre.scrollHeight - pre.clientHeight - pre.scrollTop);
    const more = (count: number) => ({
      ...runSnapshots.running,
      logTail: [...runSnapshots.running.logTail, ...Array.from({ length: count }, (_, i) => `line ${i}`)],
    });
    await show(run, more(10));
    expect(await fromEnd()).toBeLessThan(2);
    await log.evaluate(pre => {
      pre.scrollTop = 0;
    });
    await show(run, more(20));
    expect(await log.evaluate(pre => pre.scrollTop)).toBe(0);
    await run.close();
  });

  it('names every control and says the progress', async () => {
    const run = await open('running');
    const controls = await readControls(run.page);
    expect(controls.filter(control => control.name === '')).toEqual([]);
    expect(controls.find(control => control.role === 'progressbar')).toMatchObject({ name: 'Progress' });
    expect(await run.page.locator('[role="progressbar"]').getAttribute('aria-valuetext')).toBe('Step 120 of 189');
    await run.close();
  });

  it('keeps everything in its place from step to step', async () => {
    const run = await open('running');
    const places = () =>
      run.page
        .locator('.tile, vscode-button, .chart, .log, .legend-entry')
        .evaluateAll(all => all.map(e => [e.getBoundingClientRect().x, e.getBoundingClientRect().y].map(Math.round)));
    const before = await places();
    await show(run, { ...runSnapshots.running, steps: makeSteps(121), remainingMs: 9_400 });
    await show(run, runSnapshots.pausing);
    expect(await places()).toEqual(before);
    await run.close();
  });
});
