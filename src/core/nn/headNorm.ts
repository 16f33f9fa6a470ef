/** @file RMSNorm of each head on its own, for queries and keys. @see https://arxiv.org/abs/2302.05442 */
import type { Value } from '../graph/graph.ts';
import { reshape } from '../graph/operations/reshape.ts';
import { rmsNorm } from '../graph/operations/rmsNorm.ts';
import { staticDim } from '../graph/shape.ts';

/** x [M, n*D] with each head brought to root mean square 1, times weight [D]. */
export function headNorm(x: Value, weight: Value, epsilon: number): Value {
  const heads = reshape(x, [-1, staticDim(weight.shape, 0)]); // [M*n, D]
  return reshape(rmsNorm(heads, weight, epsilon), x.shape);
}
