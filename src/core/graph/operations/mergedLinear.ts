/**
 * @file A frozen linear layer with a low-rank addition, merged first: y = x (W + scale B A)^T, and its gradient, which
 * never forms the gradient of W. Less work than two thin products beside the wide one when there are more rows than
 * weight rows, for a copy of the weight that lives while the layer runs. @see https://arxiv.org/abs/2106.09685
 */
import { applyOperation, formatTypes, type Operation, type Value } from '../graph.ts';
import { dimAt } from '../shape.ts';
import { emitMatmul } from './matmul.ts';

export interface MergeAttributes {
  /** What B A is multiplied by. */
  readonly scale: number;
}

export const mergedLinearOperation: Operation<MergeAttributes> = {
  name: 'mergedLinear',
  infer([x, weight, a, b]) {
    const [rows, inner] = [dimAt(x!.shape, 0), dimAt(x!.shape, 1)];
    const fits =
      dimAt(weight!.shape, 1) === inner &&
      dimAt(a!.shape, 1) === inner &&
      dimAt(b!.shape, 0) === dimAt(weight!.shape, 0) &&
      dimAt(b!.shape, 1) === dimAt(a!.shape, 0);
    if (!fits) {
      throw new Error(`internal: mergedLinear: expected fitting matrices, got ${formatTypes([x!, weight!, a!, b!])}`);
    }
    return [{ dtype: x!.dtype, shape: [rows, dimAt(weight!.shape, 0)] }];
  },
  gradient({ inputs: [x, weight, a, b], attributes, outputGradients: [gradient] }) {
    if (!gradient) return [];
    const operands = [x!, weight!, a!, b!, gradient];
    const [gradientX, gradientA, gradientB] = applyOperation(mergedLinearGradientOperation, operands, attributes);
    return [gradientX, undefined, gradientA, gradientB];
  },
  lower(emit, [x, weight, a, b], { scale }) {
    const merged = emitMatmul(emit, b!, a!, { factor: scale, addend: weight!.name });
    return [emitMatmul(emit, x!, { name: merged, shape: weight!.shape }, { transposeB: true })];
  },
};

/** x [M, in], weight [out, in] (frozen), a [R, in], b [out, R] -> [M, out]. */
export function mergedLinear(x: Value, weight: Value, a: Value, b: Value, scale: number): Value {
  return applyOperation(mergedLinearOperation, [x, weight, a, b], { scale })[0]!;
}

/** With u = scale dy B: dx = dy (W + scale B A), dA = u^T x, dB = scale dy^T (x A^T). */
export const mergedLinearGradientOperation: Operation<MergeAttributes> = {
  name: 'mergedLinearGradient',
  infer: ([x, , a, b]) => [x!, a!, b!].map(({ dtype, shape }) => ({ dtype, shape })),
  gradient: 'none',
  lower(emit, [x, weight, a, b, outputGradient], { scale }) {
    const thin = [dimAt(x!.shape, 0), dimAt(a!.shape, 0)]; // [M, R]
    const up = { name: emitMatmul(emit, outputGradient!, b!, { factor: scale }), shape: thin };
    const down = { name: emitMatmul(emit, x!, a!, { transposeB: true }), shape: thin };
    const gradientA = emitMatmul(emit, up, x!, { transposeA: true });
    const gradientB = emitMatmul(emit, outputGradient!, down, { transposeA: true, factor: scale });
    const again = { name: emit.after(a!.name, a!.shape, outputGradient!.name), shape: a!.shape };
    const merged = emitMatmul(emit, b!, again, { factor: scale, addend: weight!.name });
    return [emitMatmul(emit, outputGradient!, { name: merged, shape: weight!.shape }), gradientA, gradientB];
  },
};
