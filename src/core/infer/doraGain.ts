/** @file A DoRA adapter's magnitudes and the weight they belong to -> the gain of each output. @see arXiv:2402.09353 */
import type { LoraPair } from '../adapter/readAdapter.ts';

/** Magnitude / length of each row of W + scale B A; weight [out, in] -> [out]. The lengths are summed in float64. */
export function computeGain(weight: Float32Array, pair: LoraPair, magnitude: Float32Array): Float32Array {
  const { a, b, rank, scale, inputSize } = pair;
  const row = new Float64Array(inputSize);
  return magnitude.map((length, out) => {
    const start = out * inputSize;
    for (let i = 0; i < inputSize; i++) row[i] = weight[start + i]!;
    for (let r = 0; r < rank; r++) {
      const factor = scale * b[out * rank + r]!;
      const from = r * inputSize;
      for (let i = 0; i < inputSize; i++) row[i]! += factor * a[from + i]!;
    }
    let squares = 0;
    for (let i = 0; i < inputSize; i++) squares += row[i]! * row[i]!;
    return length / Math.sqrt(squares);
  });
}
