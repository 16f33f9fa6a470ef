/**
 * @file The length of each row of W + scale B A, without forming it: |w + s d|^2 = |w|^2 + 2 s w.d + s^2 |d|^2, where
 * w.d comes from the product of W with A and |d|^2 from A A^T. What DoRA divides by; a constant to it, so that it has no
 * gradient. @see https://arxiv.org/abs/2402.09353 section 4.3
 */
import { applyOperation, formatTypes, type Operation, type Value } from '../graph.ts';
import { dimAt } from '../shape.ts';
import { emitMatmul } from './matmul.ts';

export const mergedNormsOperation: Operation<{ readonly scale: number }> = {
  name: 'mergedNorms',
  infer([squares, projected, a, b]) {
    const [out, rank] = [dimAt(b!.shape, 0), dimAt(b!.shape, 1)];
    const fits =
      dimAt(squares!.shape, 0) === out &&
      dimAt(projected!.shape, 0) === rank &&
      dimAt(projected!.shape, 1) === out &&
      dimAt(a!.shape, 0) === rank;
    if (!fits) {
      const types = formatTypes([squares!, projected!, a!, b!]);
      throw new Error(`internal: mergedNorms: expected fitting matrices, got ${types}`);
    }
    return [{ dtype: squares!.dtype, shape: [out] }];
  },
  gradient: 'none',
  lower(emit, [squares, projected, a, b], { scale }) {
    const rank = dimAt(a!.shape, 0);
    const gram = { name: emitMatmul(emit, a!, a!, { transposeB: true }), shape: [rank, rank] };
    const ownPart = emitMatmul(emit, b!, gram, { factor: scale * scale });
    const crossed = emit.node('Transpose', [projected!.name], { attributes: { perm: [1, 0] } });
    const crossPart = emit.node('Mul', [crossed, emit.floats([2 * scale], [])]);
    const products = emit.node('Mul', [emit.node('Add', [crossPart, ownPart]), b!.name]);
    const change = emit.node('ReduceSum', [products, emit.ints([1])], { attributes: { keepdims: 0 } });
    return [emit.node('Sqrt', [emit.node('Add', [squares!.name, change])])];
  },
};

/**
 * The lengths of the rows of W + scale B A, [out].
 * @param squares those of W, squared: [out]
 * @param projected A W^T, [R, out]
 */
export function mergedNorms(squares: Value, projected: Value, a: Value, b: Value, scale: number): Value {
  return applyOperation(mergedNormsOperation, [squares, projected, a, b], { scale })[0]!;
}
