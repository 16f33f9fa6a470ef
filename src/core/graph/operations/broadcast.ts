/** @file Repeating along axes and summing over them: each the other's gradient. */
import { applyOperation, type Operation, type Value } from '../graph.ts';
import { broadcastShapes, formatShape, isSameShape, normalizeAxis, type Shape } from '../shape.ts';
import { reshape } from './reshape.ts';

export const expandOperation: Operation<{ readonly shape: Shape }> = {
  name: 'expand',
  infer([x], { shape }) {
    if (!isSameShape(broadcastShapes(x!.shape, shape), shape)) {
      throw new Error(`internal: expand: expected ${formatShape(x!.shape)} to broadcast to ${formatShape(shape)}`);
    }
    return [{ dtype: x!.dtype, shape }];
  },
  gradient: ({ inputs: [x], outputGradients: [gradient] }) => [gradient && sumToShape(gradient, x!.shape)],
  lower: (emit, [x], { shape }) => [emit.node('Expand', [x!.name, emit.shapeTensor(shape)])],
};

/** `x` repeated to `shape` by NumPy's broadcasting. */
export function expand(x: Value, shape: Shape): Value {
  return isSameShape(x.shape, shape) ? x : applyOperation(expandOperation, [x], { shape })[0]!;
}

export const reduceSumOperation: Operation<{ readonly axes: readonly number[] }> = {
  name: 'reduceSum',
  infer: ([x], { axes }) => [{ dtype: x!.dtype, shape: x!.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim)) }],
  gradient: ({ inputs: [x], outputGradients: [gradient] }) => [gradient && expand(gradient, x!.shape)],
  lower: (emit, [x], { axes }) => [emit.node('ReduceSum', [x!.name, emit.ints(axes)], { attributes: { keepdims: 1 } })],
};

/** Sums over the given axes, which stay with length 1. */
export function reduceSum(x: Value, axes: readonly number[]): Value {
  const normalized = axes.map(axis => normalizeAxis(axis, x.shape));
  return normalized.length === 0 ? x : applyOperation(reduceSumOperation, [x], { axes: normalized })[0]!;
}

/** The gradient of broadcasting `shape` to x's shape: sums over every axis that was repeated. */
export function sumToShape(x: Value, shape: Shape): Value {
  const added = x.shape.length - shape.length;
  const axes = x.shape.flatMap((dim, axis) => (axis < added || (shape[axis - added] === 1 && dim !== 1) ? [axis] : []));
  return reshape(reduceSum(x, axes), shape);
}
