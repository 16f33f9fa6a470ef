/**
 * @file A frozen linear layer with a low-rank addition: y = x W^T + scale (x A^T) B^T, and its gradient, which never
 * forms the gradient of W. @see https://arxiv.org/abs/2106.09685
 */
import { applyOperation, formatTypes, type Operation, type Value } from '../graph.ts';
import { dimAt } from '../shape.ts';
import { emitMatmul } from './matmul.ts';

export interface LoraAttributes {
  /** alpha / rank, or alpha / sqrt(rank) for rsLoRA. */
  readonly scale: number;
  /**
   * `side` adds two thin products to the wide one and keeps no second copy of the weight. `merged` makes W + scale B A
   * first, which is less work when there are more rows than weight rows, and holds that copy while the layer runs.
   */
  readonly path: 'side' | 'merged';
}

export const loraLinearOperation: Operation<LoraAttributes> = {
  name: 'loraLinear',
  infer([x, weight, a, b]) {
    const [rows, inner] = [dimAt(x!.shape, 0), dimAt(x!.shape, 1)];
    const fits =
      dimAt(weight!.shape, 1) === inner &&
      dimAt(a!.shape, 1) === inner &&
      dimAt(b!.shape, 0) === dimAt(weight!.shape, 0) &&
      dimAt(b!.shape, 1) === dimAt(a!.shape, 0);
    if (!fits) {
      throw new Error(`internal: loraLinear: expected fitting matrices, got ${formatTypes([x!, weight!, a!, b!])}`);
    }
    return [{ dtype: x!.dtype, shape: [rows, dimAt(weight!.shape, 0)] }];
  },
  gradient({ inputs: [x, weight, a, b], attributes, outputGradients: [gradient] }) {
    if (!gradient) return [];
    const operands = [x!, weight!, a!, b!, gradient];
    const [gradientX, gradientA, gradientB] = applyOperation(loraLinearGradientOperation, operands, attributes);
    return [gradientX, undefined, gradientA, gradientB];
  },
  lower(emit, [x, weight, a, b], { scale, path }) {
    if (path === 'merged') {
      const merged = emitMatmul(emit, b!, a!, { factor: scale, addend: weight!.name });
      return [emitMatmul(emit, x!, { name: merged, shape: weight!.shape }, { transposeB: true })];
    }
    const down = emitMatmul(emit, x!, a!, { transposeB: true }); // [M, R]
    const wide = emitMatmul(emit, x!, weight!, { transposeB: true });
    const downShape = [dimAt(x!.shape, 0), dimAt(a!.shape, 0)];
    return [emitMatmul(emit, { name: down, shape: downShape }, b!, { transposeB: true, factor: scale, addend: wide })];
  },
};

/** x [M, in], weight [out, in] (frozen), a [R, in], b [out, R] -> [M, out]. */
export function loraLinear(x: Value, weight: Value, a: Value, b: Value, attributes: LoraAttributes): Value {
  return applyOperation(loraLinearOperation, [x, weight, a, b], attributes)[0]!;
}

/** With u = scale dy B: dx = dy W + u A, dA = u^T x, dB = scale dy^T (x A^T). */
export const loraLinearGradientOperation: Operation<LoraAttributes> = {
  name: 'loraLinearGradient',
  infer: ([x, , a, b]) => [x!, a!, b!].map(({ dtype, shape }) => ({ dtype, shape })),
  gradient: 'none',
  lower(emit, [x, weight, a, b, outputGradient], { scale, path }) {
    const thin = [dimAt(x!.shape, 0), dimAt(a!.shape, 0)]; // [M, R]
    const up = { name: emitMatmul(emit, outputGradient!, b!, { factor: scale }), shape: thin };
    const down = { name: emitMatmul(emit, x!, a!, { transposeB: true }), shape: thin };
    const gradientA = emitMatmul(emit, up, x!, { transposeA: true });
    const gradientB = emitMatmul(emit, outputGradient!, down, { transposeA: true, factor: scale });
    if (path === 'side') {
      const wide = emitMatmul(emit, outputGradient!, weight!);
      return [emitMatmul(emit, up, a!, { addend: wide }), gradientA, gradientB];
    }
    const again = { name: emit.after(a!.name, a!.shape, outputGradient!.name), shape: a!.shape };
    const merged = emitMatmul(emit, b!, again, { factor: scale, addend: weight!.name });
    return [emitMatmul(emit, outputGradient!, { name: merged, shape: weight!.shape }), gradientA, gradientB];
  },
};
