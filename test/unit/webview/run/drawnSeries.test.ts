import { describe, expect, it } from 'vitest';
import type { EvaluationRow, StepRow } from '../../../../src/shared/runFolder.ts';
import { drawLossSeries, drawRateSeries } from '../../../../webview/run/drawnSeries.ts';
import { smoothDebiased } from '../../../../webview/run/smoothing.ts';

const steps: StepRow[] = Array.from({ length: 5000 }, (_, i) => ({
  kind: 'step',
  attempt: 1,
  step: i + 1,
  epoch: 0,
  lossNats: 3 - i / 5000 + (i % 7) / 10,
  learningRate: 1e-4,
  gradNorm: 1 + (i % 5),
  supervisedTokens: 1,
  tokensPerSecond: 1,
  elapsedMs: i,
  peakRssBytes: 1,
}));
const evaluations: EvaluationRow[] = [0, 100, 3333].map(step => ({
  kind: 'evaluation',
  attempt: 1,
  step,
  evalLossNats: 2.5,
  supervisedTokens: 1,
  elapsedMs: 1,
}));
const all = { range: null, smoothing: 0.9, buckets: 10_000 };

describe('drawLossSeries', () => {
  it('draws every row of a series that fits, as it was written', () => {
    const series = drawLossSeries(steps.slice(0, 50), [], all);
    expect(series.step).toEqual(steps.slice(0, 50).map(row => row.step));
    expect(series.raw).toEqual(steps.slice(0, 50).map(row => row.lossNats));
  });

  it('shows the base model at step 0, where no training loss is', () => {
    const { step, raw, smoothed, heldOut } = drawLossSeries(steps, evaluations, all);
    expect([step[0], raw[0], smoothed[0], heldOut[0]]).toEqual([0, null, null, 2.5]);
  });

  it('keeps every evaluation with the training loss of its step when points are left out', () => {
    const series = drawLossSeries(steps, evaluations, { ...all, buckets: 20 });
    expect(series.step.length).toBeLessThanOrEqual(42 + evaluations.length);
    expect(series.step).toEqual([...series.step].sort((a, b) => a - b));
    const at = series.step.indexOf(3333);
    expect([series.raw[at], series.heldOut[at]]).toEqual([steps[3332]!.lossNats, 2.5]);
    expect(series.heldOut.filter(value => value !== null)).toHaveLength(3);
  });

  it('smooths over all rows, so that zooming in changes no value', () => {
    const whole = smoothDebiased(
      steps.map(row => row.lossNats),
      0.9,
    );
    const zoomed = drawLossSeries(steps, evaluations, { ...all, range: { min: 4000, max: 4010 } });
    expect(zoomed.step).toEqual([3999, 4000, 4001, 4002, 4003, 4004, 4005, 4006, 4007, 4008, 4009, 4010]);
    expect(zoomed.smoothed).toEqual(whole.slice(3998, 4010));
    expect(zoomed.heldOut.every(value => value === null)).toBe(true);
  });
});

describe('drawRateSeries', () => {
  it('keeps the peak of the gradient norm', () => {
    const spiked = steps.map(row => (row.step === 1234 ? { ...row, gradNorm: 99 } : row));
    expect(drawRateSeries(spiked, { range: null, buckets: 20 }).gradNorm).toContain(99);
  });
});
