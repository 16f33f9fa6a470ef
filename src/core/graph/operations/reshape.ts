/** @file The same elements in another shape: reshape and transpose. */
import { applyOperation, formatTypes, type Operation, type Value } from '../graph.ts';
import { type Dim, divideDims, formatShape, isSameShape, multiplyDims, type Shape } from '../shape.ts';

export const reshapeOperation: Operation<{ readonly shape: Shape }> = {
  name: 'reshape',
  infer([x], { shape }) {
    if (multiplyDims(...x!.shape) !== multiplyDims(...shape)) {
      throw new Error(`internal: reshape: expected ${formatTypes([x!])} to fit ${formatShape(shape)}`);
    }
    return [{ dtype: x!.dtype, shape }];
  },
  gradient: ({ inputs: [x], outputGradients: [gradient] }) => [gradient && reshape(gradient, x!.shape)],
  lower: (emit, [x], { shape }) => [emit.reshape(x!.name, shape)],
};

/** `x` with the given shape; one dimension may be -1, which takes what is left. */
export function reshape(x: Value, shape: Shape): Value {
  const wanted = shape.map((dim): Dim => {
    if (dim !== -1) return dim;
    const rest = divideDims(multiplyDims(...x.shape), multiplyDims(...shape.filter(other => other !== -1)));
    if (rest === undefined) throw new Error(`internal: reshape: ${formatShape(x.shape)} does not divide into ${shape}`);
    return rest;
  });
  return isSameShape(wanted, x.shape) ? x : applyOperation(reshapeOperation, [x], { shape: wanted })[0]!;
}

export const transposeOperation: Operation<{ readonly permutation: readonly number[] }> = {
  name: 'transpose',
  infer: ([x], { permutation }) => [{ dtype: x!.dtype, shape: permutation.map(axis => x!.shape[axis]!) }],
  gradient: ({ attributes: { permutation }, outputGradients: [gradient] }) => [
    gradient &&
      transpose(
        gradient,
        permutation.map((_, axis) => permutation.indexOf(axis)),
      ),
  ],
  lower: (emit, [x], { permutation }) => [emit.node('Transpose', [x!.name], { attributes: { perm: permutation } })],
};

/** `x` with its axes reordered: axis i of the result is axis `permutation[i]` of x. */
export function transpose(x: Value, permutation: readonly number[]): Value {
  return applyOperation(transposeOperation, [x], { permutation })[0]!;
}
