/** @file Where the largest of some numbers stands. */

/** Counted from `from`; the first of equals. */
export function findLargest(values: Float32Array, from = 0, to = values.length): number {
  let best = from;
  for (let i = from + 1; i < to; i++) if (values[i]! > values[best]!) best = i;
  return best - from;
}
