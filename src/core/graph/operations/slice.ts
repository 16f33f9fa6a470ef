/** @file Parts of a tensor along one axis: slice, pad with zeros, concatenate, take positions. */
import { applyOperation, type Operation, type Value } from '../graph.ts';
import { dimAt, formatShape, normalizeAxis, staticDim } from '../shape.ts';

export const sliceOperation: Operation<{ readonly axis: number; readonly start: number; readonly end: number }> = {
  name: 'slice',
  infer([x], { axis, start, end }) {
    if (start < 0 || end <= start || end > staticDim(x!.shape, axis)) {
      throw new Error(`internal: slice: expected a part of ${formatShape(x!.shape)}, got ${start} to ${end}`);
    }
    return [{ dtype: x!.dtype, shape: x!.shape.map((dim, i) => (i === axis ? end - start : dim)) }];
  },
  gradient: ({ inputs: [x], attributes: { axis, start, end }, outputGradients: [gradient] }) => [
    gradient && pad(gradient, axis, start, staticDim(x!.shape, axis) - end),
  ],
  lower: (emit, [x], { axis, start, end }) => [
    emit.node('Slice', [x!.name, emit.ints([start]), emit.ints([end]), emit.ints([axis])]),
  ],
};

/** Elements `start` to `end` (exclusive) along an axis of fixed length. */
export function slice(x: Value, axis: number, start: number, end: number): Value {
  return applyOperation(sliceOperation, [x], { axis: normalizeAxis(axis, x.shape), start, end })[0]!;
}

export const padOperation: Operation<{ readonly axis: number; readonly before: number; readonly after: number }> = {
  name: 'pad',
  infer: ([x], { axis, before, after }) => [
    {
      dtype: x!.dtype,
      shape: x!.shape.map((dim, i) => (i === axis ? before + staticDim(x!.shape, axis) + after : dim)),
    },
  ],
  gradient: ({ inputs: [x], attributes: { axis, before }, outputGradients: [gradient] }) => [
    gradient && slice(gradient, axis, before, before + staticDim(x!.shape, axis)),
  ],
  lower: (emit, [x], { axis, before, after }) => [
    emit.node('Pad', [x!.name, emit.ints([before, after]), '', emit.ints([axis])]),
  ],
};

/** `x` with zeros before and after it along an axis. */
export function pad(x: Value, axis: number, before: number, after: number): Value {
  if (before === 0 && after === 0) return x;
  return applyOperation(padOperation, [x], { axis: normalizeAxis(axis, x.shape), before, after })[0]!;
}

export const concatenateOperation: Operation<{ readonly axis: number }> = {
  name: 'concatenate',
  infer(inputs, { axis }) {
    const length = inputs.reduce((total, { shape }) => total + staticDim(shape, axis), 0);
    return [{ dtype: inputs[0]!.dtype, shape: inputs[0]!.shape.map((dim, i) => (i === axis ? length : dim)) }];
  },
  gradient({ inputs, attributes: { axis }, outputGradients: [gradient] }) {
    // Not slices: ONNX Runtime would make one Split of them, put it behind all other nodes, and so compute it last.
    const sizes = inputs.map(({ shape }) => staticDim(shape, axis));
    return gradient ? split(gradient, axis, sizes) : [];
  },
  lower: (emit, inputs, { axis }) => [
    emit.node(
      'Concat',
      inputs.map(input => input.name),
      { attributes: { axis } },
    ),
  ],
};

/** The tensors one after another along an axis of fixed length. */
export function concatenate(parts: readonly Value[], axis: number): Value {
  return applyOperation(concatenateOperation, parts, { axis: normalizeAxis(axis, parts[0]!.shape) })[0]!;
}

export const splitOperation: Operation<{ readonly axis: number; readonly sizes: readonly number[] }> = {
  name: 'split',
  infer([x], { axis, sizes }) {
    if (sizes.reduce((total, size) => total + size, 0) !== staticDim(x!.shape, axis)) {
      throw new Error(`internal: split: expected parts of ${formatShape(x!.shape)}, got ${sizes.join(' + ')}`);
    }
    return sizes.map(size => ({ dtype: x!.dtype, shape: x!.shape.map((dim, i) => (i === axis ? size : dim)) }));
  },
  gradient({ attributes: { axis }, outputGradients }) {
    const flowing = outputGradients.filter(gradient => gradient !== undefined);
    if (flowing.length === 0) return [];
    if (flowing.length < outputGradients.length) {
      throw new Error('internal: split: expected a gradient of every part, got one of some');
    }
    return [concatenate(flowing, axis)];
  },
  lower: (emit, [x], { axis, sizes }) =>
    emit.nodeWithOutputs('Split', [x!.name, emit.ints(sizes)], sizes.length, { attributes: { axis } }),
};

/** Consecutive parts of `x` along an axis of fixed length. */
export function split(x: Value, axis: number, sizes: readonly number[]): readonly Value[] {
  return sizes.length === 1 ? [x] : applyOperation(splitOperation, [x], { axis: normalizeAxis(axis, x.shape), sizes });
}

export const takePositionsOperation: Operation<null> = {
  name: 'takePositions',
  infer: ([x, positions]) => [
    { dtype: x!.dtype, shape: [dimAt(x!.shape, 0), dimAt(positions!.shape, 0), ...x!.shape.slice(2)] },
  ],
  gradient: 'none',
  lower: (emit, [x, positions]) => [emit.node('Gather', [x!.name, positions!.name], { attributes: { axis: 1 } })],
};

/** x [B, S, ...], positions int64 [W], from the end where negative -> [B, W, ...]. For decoding. */
export function takePositions(x: Value, positions: Value): Value {
  return applyOperation(takePositionsOperation, [x, positions], null)[0]!;
}
