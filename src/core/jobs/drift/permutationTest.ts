/**
 * @file Two groups of rows and what each row holds -> how different the groups are, and how often as different groups come of
 * drawing the same rows by chance: a permutation test (Fisher 1935; Phipson and Smyth 2010 for the count of one). Rows are
 * permuted, not words, so that what repeats inside a row proves nothing.
 */
import { createGenerator } from '../../text/seededOrder.ts';

export interface PermutationOutcome {
  readonly statistic: number;
  /** Its mean over the permutations. */
  readonly expected: number;
  readonly pValue: number;
}

export interface PermutationOptions {
  readonly permutations: number;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
}

/** Numbers of features, as they repeat. */
export type Bag = Int32Array;

/** Jensen-Shannon divergence (Lin 1991) of what all bags of a group hold together, in bits. */
export function compareBags(
  first: readonly Bag[],
  second: readonly Bag[],
  features: number,
  options: PermutationOptions,
): PermutationOutcome {
  const all = [...first, ...second];
  const totals = new Float64Array(features);
  for (const bag of all) for (const feature of bag) totals[feature]!++;
  const counts = new Float64Array(features);
  return permute(first.length, all.length, options, chosen => {
    counts.fill(0);
    for (const row of chosen) for (const feature of all[row]!) counts[feature]!++;
    return divergence(counts, totals);
  });
}

/** Kolmogorov-Smirnov: the widest gap between the two distributions of a number. */
export function compareNumbers(
  first: readonly number[],
  second: readonly number[],
  options: PermutationOptions,
): PermutationOutcome {
  const all = [...first, ...second];
  const order = all.map((_, row) => row).sort((a, b) => all[a]! - all[b]!);
  const isSecond = new Uint8Array(all.length);
  return permute(first.length, all.length, options, chosen => {
    isSecond.fill(0);
    for (const row of chosen) isSecond[row] = 1;
    let [below, belowSecond, widest] = [0, 0, 0];
    for (const [i, row] of order.entries()) {
      if (isSecond[row] === 1) belowSecond++;
      else below++;
      // Equal numbers stand on one step.
      if (all[order[i + 1] ?? -1] === all[row]) continue;
      widest = Math.max(widest, Math.abs(belowSecond / second.length - below / first.length));
    }
    return widest;
  });
}

/** @param measure the statistic when these rows are the second group */
function permute(
  firstCount: number,
  count: number,
  { permutations, seed, signal }: PermutationOptions,
  measure: (chosen: Int32Array) => number,
): PermutationOutcome {
  const rows = Int32Array.from({ length: count }, (_, i) => i);
  const statistic = measure(rows.subarray(firstCount));
  const next = createGenerator([seed, count, firstCount]);
  let sum = 0;
  let asFar = 1;
  for (let n = 0; n < permutations; n++) {
    signal?.throwIfAborted();
    // The second group alone needs drawing: Fisher-Yates from the end.
    for (let i = count - 1; i >= firstCount; i--) {
      const j = Math.floor((next() / 2 ** 32) * (i + 1));
      [rows[i], rows[j]] = [rows[j]!, rows[i]!];
    }
    const drawn = measure(rows.subarray(firstCount));
    sum += drawn;
    if (drawn >= statistic - 1e-12) asFar++;
  }
  return { statistic, expected: sum / permutations, pValue: asFar / (permutations + 1) };
}

function divergence(second: Float64Array, totals: Float64Array): number {
  let [firstSum, secondSum] = [0, 0];
  for (let i = 0; i < totals.length; i++) {
    secondSum += second[i]!;
    firstSum += totals[i]! - second[i]!;
  }
  if (firstSum === 0 || secondSum === 0) return 0;
  let bits = 0;
  for (let i = 0; i < totals.length; i++) {
    const p = (totals[i]! - second[i]!) / firstSum;
    const q = second[i]! / secondSum;
    const middle = (p + q) / 2;
    if (p > 0) bits += 0.5 * p * Math.log2(p / middle);
    if (q > 0) bits += 0.5 * q * Math.log2(q / middle);
  }
  return Math.max(0, bits);
}

/** Which of the p-values are significant, all together wrong with at most `level` (Holm 1979). */
export function chooseSignificant(pValues: readonly number[], level: number): boolean[] {
  const order = pValues.map((_, i) => i).sort((a, b) => pValues[a]! - pValues[b]!);
  const significant = pValues.map(() => false);
  for (const [rank, i] of order.entries()) {
    if (pValues[i]! > level / (pValues.length - rank)) break;
    significant[i] = true;
  }
  return significant;
}
