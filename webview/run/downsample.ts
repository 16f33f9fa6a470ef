/** @file Which points of a long series are drawn: no more than the screen can show, and never without its peaks. */

export interface IndexRange {
  /** First index. */
  from: number;
  /** One past the last. */
  to: number;
}

/**
 * Ascending indices of at most 2 * buckets + 2 points: the first, the last, and of each of `buckets` equal parts the
 * lowest and the highest value. A series that is short enough keeps all its points.
 */
export function pickMinMax(values: readonly number[], range: IndexRange, buckets: number): number[] {
  const count = range.to - range.from;
  if (count <= 2 * buckets + 2) return Array.from({ length: Math.max(0, count) }, (_, i) => range.from + i);
  const picked = [range.from];
  const inner = count - 2;
  for (let bucket = 0; bucket < buckets; bucket++) {
    const start = range.from + 1 + Math.floor((bucket * inner) / buckets);
    const end = range.from + 1 + Math.floor(((bucket + 1) * inner) / buckets);
    let low = start;
    let high = start;
    for (let i = start + 1; i < end; i++) {
      if (values[i]! < values[low]!) low = i;
      if (values[i]! > values[high]!) high = i;
    }
    picked.push(Math.min(low, high));
    if (low !== high) picked.push(Math.max(low, high));
  }
  picked.push(range.to - 1);
  return picked;
}

/** The points whose x lies within [min, max], and one neighbour at each side so that lines reach the edges. `xs` ascend. */
export function rangeWithin(xs: readonly number[], min: number, max: number): IndexRange {
  const from = Math.max(0, firstAtLeast(xs, min) - 1);
  const to = Math.min(xs.length, firstAtLeast(xs, max) + 1);
  return { from, to: Math.max(from, to) };
}

/** Index of the first x that is not below `value`; the length when there is none. */
export function firstAtLeast(xs: readonly number[], value: number): number {
  let low = 0;
  let high = xs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (xs[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
