/** @file Root mean square normalisation and its gradient. @see https://arxiv.org/abs/1910.07467 */
import { applyOperation, type Operation, type Value } from '../graph.ts';

interface RmsNormAttributes {
  readonly epsilon: number;
}

export const rmsNormOperation: Operation<RmsNormAttributes> = {
  name: 'rmsNorm',
  infer: ([x]) => [{ dtype: x!.dtype, shape: x!.shape }],
  gradient: ({ inputs: [x, weight], attributes, outputGradients: [gradient] }) =>
    gradient ? applyOperation(rmsNormGradientOperation, [x!, weight!, gradient], attributes) : [],
  lower: (emit, [x, weight], { epsilon }) => [
    emit.node('RMSNormalization', [x!.name, weight!.name], { attributes: { axis: -1, epsilon: { float: epsilon } } }),
  ],
};

/** x [M, C] with each row brought to root mean square 1, times weight [C]. */
export function rmsNorm(x: Value, weight: Value, epsilon: number): Value {
  return applyOperation(rmsNormOperation, [x, weight], { epsilon })[0]!;
}

/**
 * With r = 1 / sqrt(mean(x^2) + epsilon) of a row: dx = r g - x r^3 mean(g x), where g = dy weight; dweight = sum over
 * rows of dy x r. Only x is kept from the forward pass.
 */
export const rmsNormGradientOperation: Operation<RmsNormAttributes> = {
  name: 'rmsNormGradient',
  infer: ([x, weight]) => [
    { dtype: x!.dtype, shape: x!.shape },
    { dtype: x!.dtype, shape: weight!.shape },
  ],
  gradient: 'none',
  lower(emit, [x, weight, outputGradient], { epsilon }) {
    const rowMean = (tensor: string): string =>
      emit.node('ReduceMean', [tensor, emit.ints([-1])], { attributes: { keepdims: 1 } });
    const variance = rowMean(emit.node('Mul', [x!.name, x!.name]));
    const root = emit.node('Sqrt', [emit.node('Add', [variance, emit.floats([epsilon], [])])]);
    const inverse = emit.node('Reciprocal', [root]); // [M, 1]
    const weighted = emit.node('Mul', [outputGradient!.name, weight!.name]);
    const slope = rowMean(emit.node('Mul', [weighted, x!.name])); // [M, 1]
    const cubed = emit.node('Mul', [emit.node('Mul', [inverse, inverse]), inverse]);
    const back = emit.node('Mul', [x!.name, emit.node('Mul', [slope, cubed])]);
    const gradientX = emit.node('Sub', [emit.node('Mul', [weighted, inverse]), back]);
    const normalized = emit.node('Mul', [emit.node('Mul', [outputGradient!.name, x!.name]), inverse]);
    const gradientWeight = emit.node('ReduceSum', [normalized, emit.ints([0])], { attributes: { keepdims: 0 } });
    return [gradientX, gradientWeight];
  },
};
