import { describe, expect, it, vi } from 'vitest';
import { type CheckedRun, checkRun } from '../../../../../src/core/jobs/prepare/checkRun.ts';
import { bearableRounding, judgeBaseWeights } from '../../../../../src/core/jobs/prepare/judgeBaseWeights.ts';
import { measureRounding } from '../../../../../src/core/jobs/train/measureRounding.ts';
import type { Hyperparameters } from '../../../../../src/shared/hyperparameters.ts';
import { temporaryFolder } from '../../../../support/temporaryFolder.ts';
import { tinyRequest } from '../../../../support/tinyRequest.ts';

/** A checked run to which the planner gave 8-bit weights. */
async function checkTiny(settings: Partial<Hyperparameters> = {}): Promise<CheckedRun> {
  const checked = await checkRun(tinyRequest(temporaryFolder(), settings), {
    tinyFolder: '/nowhere',
    hub: undefined,
    control: { ask: () => 'continue' as const },
    onPhase: () => undefined,
  });
  return { ...checked, forecast: { ...checked.forecast, baseWeights: '8bit', peakMemoryBytes: 1 } };
}

describe('judgeBaseWeights', () => {
  it.each([
    [0.9 * bearableRounding, '8bit', /^Base weights: 8-bit weights change .* by \+0\.45 %\.$/],
    [-0.9 * bearableRounding, '8bit', /by -0\.45 %\.$/],
    [
      3 * bearableRounding,
      'float32',
      /^Base weights: float32, chosen because .* by \+1\.50 %, more than 0\.5 %; baseWeights=8bit/,
    ],
    [-3 * bearableRounding, 'float32', /by -1\.50 %, more than 0\.5 %/],
  ] as const)('at a change of %s takes %s and says so', async (change, baseWeights, note) => {
    const run = await checkTiny();
    const { checked, note: told } = await judgeBaseWeights(run, async () => change);
    expect(checked.forecast.baseWeights).toBe(baseWeights);
    expect(checked.forecast.peakMemoryBytes === run.forecast.peakMemoryBytes).toBe(baseWeights === '8bit');
    expect(checked.forecast.memoryLimitBytes).toBe(run.forecast.memoryLimitBytes);
    expect(told).toMatch(note);
    run.model.close();
  });

  it('measures nothing where 8 bit was asked for, where nobody can, or where floats do not fit', async () => {
    const measure = vi.fn(async () => 1);
    const asked = await checkTiny({ baseWeights: '8bit' });
    expect(await judgeBaseWeights(asked, measure)).toEqual({ checked: asked });
    const chosen = await checkTiny();
    expect(await judgeBaseWeights(chosen, undefined)).toEqual({ checked: chosen });
    const tight = { ...chosen, forecast: { ...chosen.forecast, memoryLimitBytes: 1000 } };
    expect(await judgeBaseWeights(tight, measure)).toMatchObject({
      checked: tight,
      note: expect.stringContaining('does not fit the memory limit'),
    });
    expect(measure).not.toHaveBeenCalled();
    for (const { model } of [asked, chosen]) model.close();
  });
});

describe('measureRounding', () => {
  it('gives the small change that 8-bit weights make to the loss, the same each time', async () => {
    const run = await checkTiny({ threads: 1 });
    const change = await measureRounding(run);
    expect(change).not.toBe(0);
    expect(Math.abs(change)).toBeLessThan(0.05);
    expect(await measureRounding(run)).toBe(change);
    run.model.close();
  });
});
