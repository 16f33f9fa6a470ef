/** @file A weight in floats -> int8 with a scale for each output channel, as integer products take it. */
import { largestStep, smallestScale } from '../graph/operations/integerLinear.ts';

export interface RoundedWeight {
  /** [out, in], -127 to 127 */
  readonly steps: Int8Array;
  /** [out]: what one step is. */
  readonly scales: Float32Array;
}

/** The nearest steps to a weight [out, in], the largest element of each row 127 steps from zero. */
export function roundToSteps(weight: Float32Array, rows: number): RoundedWeight {
  const width = weight.length / rows;
  const steps = new Int8Array(weight.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const from = row * width;
    let largest = 0;
    for (let i = from; i < from + width; i++) largest = Math.max(largest, Math.abs(weight[i]!));
    const scale = Math.fround(Math.max(largest / largestStep, smallestScale));
    scales[row] = scale;
    for (let i = from; i < from + width; i++) steps[i] = Math.round(weight[i]! / scale);
  }
  return { steps, scales };
}
