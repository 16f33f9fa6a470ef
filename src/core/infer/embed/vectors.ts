/** @file Rows of numbers that say what a text is about, and how near two of them are. */

/** `count` rows of `size` numbers, one behind the other. */
export interface Vectors {
  readonly count: number;
  readonly size: number;
  /** [count, size] */
  readonly values: Float32Array;
}

/** The row itself, not a copy. */
export function rowOf({ size, values }: Vectors, row: number): Float32Array {
  return values.subarray(row * size, (row + 1) * size);
}

/** The sum of products: the cosine of the angle where both have length 1. */
export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** The mean of all rows. */
export function meanOf(vectors: Vectors): Float32Array {
  const mean = new Float64Array(vectors.size);
  for (let row = 0; row < vectors.count; row++) {
    const values = rowOf(vectors, row);
    for (let i = 0; i < mean.length; i++) mean[i]! += values[i]!;
  }
  return Float32Array.from(mean, sum => sum / Math.max(1, vectors.count));
}

/**
 * Every row less `center`, at length 1; a row that is all of `center` stays zero. Hidden states of a language model point
 * into one narrow cone: only beside what all texts share does it show what each is about (Mu and Viswanath 2018).
 * @see https://arxiv.org/abs/1702.01417
 */
export function centerVectors(vectors: Vectors, center: Float32Array): Vectors {
  const values = new Float32Array(vectors.values.length);
  for (let row = 0; row < vectors.count; row++) {
    const from = rowOf(vectors, row);
    const to = values.subarray(row * vectors.size, (row + 1) * vectors.size);
    for (let i = 0; i < to.length; i++) to[i] = from[i]! - center[i]!;
    scaleToLength1(to);
  }
  return { ...vectors, values };
}

/** In place. */
export function scaleToLength1(row: Float32Array): void {
  const length = Math.sqrt(dot(row, row));
  if (length < 1e-12) return void row.fill(0);
  for (let i = 0; i < row.length; i++) row[i]! /= length;
}
