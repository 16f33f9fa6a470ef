/**
 * @file A metric's sums by row of several candidates -> their figures with intervals and every pairwise difference. The
 * same resampled rows for all candidates, so that differences are paired (Koehn 2004, W04-3250); percentile intervals.
 */
import { TuneError } from '../../shared/errors.ts';
import type { MeasuredDifference, MeasuredValue } from '../../shared/evaluationFiles.ts';
import { createGenerator } from '../text/seededOrder.ts';
import { adjustByHolm } from './holm.ts';
import type { Figure, RowSums } from './rowSums.ts';

export const resamples = 10_000;
const confidence = 0.95;
/** Rows whose figures are closer than this are a tie: rounding. */
const tieWidth = 1e-9;

export interface MetricInput {
  readonly figure: Figure;
  readonly better: 'higher' | 'lower';
  /** By candidate, in the order of the table. */
  readonly sums: ReadonlyMap<string, RowSums>;
  readonly seed: number;
}

export interface MetricOutcome {
  readonly values: MeasuredValue[];
  readonly differences: MeasuredDifference[];
}

/** Over the rows for which the metric is defined for all candidates; empty where there are none. @throws TuneError `not-finite` */
export function measureCandidates(input: MetricInput): MetricOutcome {
  const candidates = [...input.sums].filter(([, { isDefined }]) => isDefined.includes(1));
  const rows = findCommonRows(candidates.map(([, sums]) => sums));
  if (rows.length === 0) return { values: [], differences: [] };
  for (const [candidate, sums] of candidates) requireFinite(candidate, sums, rows);
  const measured = candidates.map(([candidate, sums]) => ({ candidate, ...measureOne(sums, rows, input) }));
  const values = measured.map(({ candidate, value, drawn }) => ({
    candidate,
    value,
    ...intervalOf(drawn),
    rows: rows.length,
  }));
  const pairs = measured.flatMap((second, i) => measured.slice(i + 1).map(first => ({ first, second })));
  const found = pairs.map(({ first, second }) => {
    const drawn = first.drawn.map((value, i) => value - second.drawn[i]!);
    return {
      first: first.candidate,
      second: second.candidate,
      difference: first.value - second.value,
      ...intervalOf(drawn),
      p: findP(drawn),
      ...countWins(first.byRow, second.byRow, input.better),
    };
  });
  const adjusted = adjustByHolm(found.map(({ p }) => p));
  return { values, differences: found.map((difference, i) => ({ ...difference, adjustedP: adjusted[i]! })) };
}

function findCommonRows(all: readonly RowSums[]): Int32Array {
  const rows = all[0]?.isDefined.length ?? 0;
  return Int32Array.from({ length: rows }, (_, row) => row).filter(row => all.every(s => s.isDefined[row] === 1));
}

/** A difference to what is no number would pass for a sure one. */
function requireFinite(candidate: string, { width, values }: RowSums, rows: Int32Array): void {
  for (const row of rows) {
    const wrong = values.subarray(row * width, (row + 1) * width).find(value => !Number.isFinite(value));
    if (wrong === undefined) continue;
    throw new TuneError('not-finite', `${candidate}: row ${row + 1}: expected finite figures, got ${wrong}`, {
      hint: 'Its weights give no usable loss: leave it out, or leave loss and perplexity out of --metrics.',
    });
  }
}

interface Measured {
  readonly value: number;
  /** The figure of each resample. */
  readonly drawn: Float64Array;
  readonly byRow: Float64Array;
}

function measureOne(sums: RowSums, rows: Int32Array, { figure, seed }: MetricInput): Measured {
  const { width, values } = sums;
  const count = rows.length;
  const own = new Float64Array(count * width);
  for (const [i, row] of rows.entries()) own.set(values.subarray(row * width, (row + 1) * width), i * width);
  const total = new Float64Array(width);
  const add = (row: number): void => {
    for (let i = 0, at = row * width; i < width; i++, at++) total[i] = total[i]! + own[at]!;
  };
  for (let row = 0; row < count; row++) add(row);
  const value = figure.of(total, count);
  // The same draws for every candidate of the same rows.
  const next = createGenerator([seed, count]);
  const drawn = Float64Array.from({ length: resamples }, () => {
    total.fill(0);
    for (let i = 0; i < count; i++) add(Math.floor((next() / 2 ** 32) * count));
    return figure.of(total, count);
  });
  const ofRow = (row: ArrayLike<number>): number => figure.ofRow?.(row) ?? figure.of(row, 1);
  const byRow = Float64Array.from({ length: count }, (_, i) => ofRow(own.subarray(i * width, (i + 1) * width)));
  return { value, drawn, byRow };
}

function intervalOf(drawn: Float64Array): { low: number; high: number } {
  const sorted = drawn.slice().sort();
  const tail = (1 - confidence) / 2;
  return { low: quantile(sorted, tail), high: quantile(sorted, 1 - tail) };
}

/** By linear interpolation, as NumPy's default. */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (at - below) * (sorted[above]! - sorted[below]!);
}

/** Two-sided: twice the share of resamples on the rarer side of no difference, never 0. */
function findP(drawn: Float64Array): number {
  let [atMost, atLeast] = [1, 1];
  for (const value of drawn) {
    if (value <= 0) atMost++;
    if (value >= 0) atLeast++;
  }
  return Math.min(1, (2 * Math.min(atMost, atLeast)) / (drawn.length + 1));
}

function countWins(
  first: Float64Array,
  second: Float64Array,
  better: MetricInput['better'],
): Pick<MeasuredDifference, 'wins' | 'ties' | 'losses'> {
  const sign = better === 'higher' ? 1 : -1;
  const counts = { wins: 0, ties: 0, losses: 0 };
  for (const [i, value] of first.entries()) {
    const ahead = sign * (value - second[i]!);
    if (Math.abs(ahead) <= tieWidth || Number.isNaN(ahead)) counts.ties++;
    else if (ahead > 0) counts.wins++;
    else counts.losses++;
  }
  return counts;
}
