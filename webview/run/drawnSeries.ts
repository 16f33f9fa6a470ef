/** @file A run's rows -> the exact arrays that the charts are given; tests read them from the window. */
import type { EvaluationRow, Measures, StepRow } from '../../src/shared/runFolder.ts';
import { firstAtLeast, pickMinMax, rangeWithin } from './downsample.ts';
import { smoothDebiased } from './smoothing.ts';

export interface StepRange {
  min: number;
  max: number;
}

/** Columns of equal length; null where a series has no value at a step. */
export interface LossSeries {
  step: number[];
  raw: (number | null)[];
  smoothed: (number | null)[];
  heldOut: (number | null)[];
}
export interface RateSeries {
  step: number[];
  learningRate: number[];
  gradNorm: number[];
}

/** What an objective measures beside its loss, smoothed like it. */
export interface MeasureSeries {
  step: number[];
  columns: (number | null)[][];
}

declare global {
  interface Window {
    /** What the charts of the run page draw now. */
    __tuningForkChart?: { loss: LossSeries; rate: RateSeries; measures: MeasureSeries | null };
  }
}

export interface DrawOptions {
  /** Steps to show; null: all. */
  range: StepRange | null;
  /** Weight of the moving average. */
  smoothing: number;
  /** Parts of the width that can show a peak of their own, about one a pixel. */
  buckets: number;
}

/** The loss chart's columns. The average runs over all rows: zooming in does not change a smoothed value. */
export function drawLossSeries(
  steps: readonly StepRow[],
  evaluations: readonly EvaluationRow[],
  { range, smoothing, buckets }: DrawOptions,
): LossSeries {
  const xs = steps.map(row => row.step);
  const losses = steps.map(row => row.lossNats);
  const smoothed = smoothDebiased(losses, smoothing);
  const visible = range === null ? { from: 0, to: xs.length } : rangeWithin(xs, range.min, range.max);
  const chosen = new Map<number, number | null>();
  for (const index of pickMinMax(losses, visible, buckets)) chosen.set(xs[index]!, index);
  const heldOut = new Map<number, number>();
  for (const { step, evalLossNats } of evaluations) {
    if (range !== null && (step < range.min || step > range.max)) continue;
    heldOut.set(step, evalLossNats);
    const index = firstAtLeast(xs, step);
    chosen.set(step, xs[index] === step ? index : null);
  }
  const columns: LossSeries = { step: [], raw: [], smoothed: [], heldOut: [] };
  for (const [step, index] of [...chosen].sort(([a], [b]) => a - b)) {
    columns.step.push(step);
    columns.raw.push(index === null ? null : losses[index]!);
    columns.smoothed.push(index === null ? null : smoothed[index]!);
    columns.heldOut.push(heldOut.get(step) ?? null);
  }
  return columns;
}

/** The columns of learning rate and gradient norm; the norm's peaks are kept. */
export function drawRateSeries(
  steps: readonly StepRow[],
  { range, buckets }: Omit<DrawOptions, 'smoothing'>,
): RateSeries {
  const xs = steps.map(row => row.step);
  const norms = steps.map(row => row.gradNorm);
  const visible = range === null ? { from: 0, to: xs.length } : rangeWithin(xs, range.min, range.max);
  const picked = pickMinMax(norms, visible, buckets);
  return {
    step: picked.map(index => xs[index]!),
    learningRate: picked.map(index => steps[index]!.learningRate),
    gradNorm: picked.map(index => norms[index]!),
  };
}

/** The columns of what an objective measures, in the order of `names`; the peaks of the first are kept. */
export function drawMeasureSeries(
  steps: readonly StepRow[],
  names: readonly (keyof Measures)[],
  { range, smoothing, buckets }: DrawOptions,
): MeasureSeries {
  const measured = steps.filter(row => names.every(name => row[name] !== undefined));
  const xs = measured.map(row => row.step);
  const series = names.map(name =>
    smoothDebiased(
      measured.map(row => row[name]!),
      smoothing,
    ),
  );
  const visible = range === null ? { from: 0, to: xs.length } : rangeWithin(xs, range.min, range.max);
  const picked = pickMinMax(series[0] ?? [], visible, buckets);
  return {
    step: picked.map(index => xs[index]!),
    columns: series.map(values => picked.map(index => values[index]!)),
  };
}
