/** @file Lengths -> their histogram in steps of 1, 2, 5, 10 ... and the usual figures. */
import type { CharacterHistogram } from './datasetReport.ts';

/** Undefined for no lengths. */
export function measureLengths(lengths: readonly number[]): CharacterHistogram | undefined {
  if (lengths.length === 0) return undefined;
  const sorted = Float64Array.from(lengths).sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  const [min, max] = [sorted[0]!, sorted.at(-1)!];
  const edges = listEdges(min, max);
  const counts = new Array<number>(edges.length - 1).fill(0);
  let bin = 0;
  for (const length of sorted) {
    while (length >= edges[bin + 1]!) bin++;
    counts[bin] = counts[bin]! + 1;
  }
  const mean = sorted.reduce((sum, length) => sum + length, 0) / sorted.length;
  return { edges, counts, min, median: at(0.5), mean, p95: at(0.95), max };
}

/** 0, 10, 20, 50, 100 ...: the part of it that holds everything from `min` to `max`. */
function listEdges(min: number, max: number): number[] {
  const edges = [0];
  for (let unit = 10; edges.at(-1)! <= max; unit *= 10) edges.push(unit, 2 * unit, 5 * unit);
  const last = edges.findIndex(edge => edge > max);
  const first = edges.findLastIndex(edge => edge <= min);
  return edges.slice(first, last + 1);
}
