/**
 * @file Rotary position embedding: turns pairs of a head's elements by an angle that grows with the position. Elements i
 * and i + R/2 are a pair, as in Hugging Face's models, where the first R of a head's D elements are turned (usually all)
 * and the rest stays as it is. @see https://arxiv.org/abs/2104.09864
 */
import { applyOperation, type OnnxEmitter, type Operand, type Operation, type Value } from '../graph.ts';
import { dimAt, divideDims, multiplyDims, type Shape, staticDim } from '../shape.ts';

interface RotaryAttributes {
  readonly heads: number;
  /** Turns back, which is the gradient: a rotation's transpose is its inverse. */
  readonly inverse: boolean;
}

export const rotaryOperation: Operation<RotaryAttributes> = {
  name: 'rotary',
  infer([x, positions, cosines], { heads }) {
    const headSize = Number(divideDims(dimAt(x!.shape, -1), heads));
    if (!(headSize >= 2 * staticDim(cosines!.shape, 1)) || dimAt(x!.shape, 0) !== multiplyDims(...positions!.shape)) {
      throw new Error('internal: rotary: expected x [B*T, heads*D], positions [B, T] and tables [P, R/2]');
    }
    return [{ dtype: x!.dtype, shape: x!.shape }];
  },
  gradient: ({ inputs: [, positions, cosines, sines], attributes, outputGradients: [gradient] }) => [
    gradient &&
      applyOperation(rotaryOperation, [gradient, positions!, cosines!, sines!], {
        heads: attributes.heads,
        inverse: !attributes.inverse,
      })[0],
  ],
  lower(emit, [x, positions, cosines, sines], { heads, inverse }) {
    const sine = inverse ? emit.once(`inverse|${sines!.name}`, () => emit.node('Neg', [sines!.name])) : sines!.name;
    const wide = emit.once(`int64|${positions!.name}`, () => emit.cast(positions!.name, 'int64'));
    const rotated =
      x!.dtype === 'float32'
        ? emitRotaryEmbedding(
            emit,
            x!,
            positions!.shape,
            [cosines!.name, sine, wide],
            heads,
            staticDim(cosines!.shape, 1),
          )
        : emitPlainRotation(emit, x!, cosines!, sine, wide, heads);
    return [emit.reshape(rotated, x!.shape)];
  },
};

/**
 * x [B*T, heads*D] with each head turned by its position.
 * @param positions int32 [B, T]
 * @param cosines of the angles, [positions, R/2], and `sines` likewise
 */
export function rotary(x: Value, positions: Value, cosines: Value, sines: Value, heads: number): Value {
  return applyOperation(rotaryOperation, [x, positions, cosines, sines], { heads, inverse: false })[0]!;
}

/** @param tables cosines, sines and int64 positions, whose shape [B, T] is given beside them */
export function emitRotaryEmbedding(
  emit: OnnxEmitter,
  x: Operand,
  positions: Shape,
  tables: readonly string[],
  heads: number,
  half: number,
): string {
  const rows = emit.reshape(x.name, [...positions, dimAt(x.shape, -1)]); // [B, T, heads*D]
  const isPartial = 2 * half * heads < staticDim(x.shape, -1);
  const attributes = { num_heads: heads, ...(isPartial ? { rotary_embedding_dim: 2 * half } : {}) };
  return emit.node('RotaryEmbedding', [rows, ...tables], { attributes });
}

/** The same out of elementary operators, for float64, which ONNX's operator does not take. */
function emitPlainRotation(
  emit: OnnxEmitter,
  x: Operand,
  cosines: Operand,
  sine: string,
  positions: string,
  heads: number,
): string {
  const half = staticDim(cosines.shape, 1);
  const rows = dimAt(x.shape, 0);
  const atPositions = (table: string): string =>
    emit.once(`rows|${table}|${positions}`, () =>
      emit.reshape(emit.node('Gather', [table, positions]), [rows, 1, half]),
    );
  const [cos, sin] = [atPositions(cosines.name), atPositions(sine)];
  const headSize = staticDim(x.shape, -1) / heads;
  const rest = headSize - 2 * half;
  const pairs = emit.reshape(x.name, [rows, heads, headSize]);
  const sizes = rest === 0 ? [half, half] : [half, half, rest];
  const [first, second, ...unturned] = emit.nodeWithOutputs('Split', [pairs, emit.ints(sizes)], sizes.length, {
    attributes: { axis: 2 },
  }) as [string, string, ...string[]];
  const product = (a: string, b: string): string => emit.node('Mul', [a, b]);
  const turnedFirst = emit.node('Sub', [product(first, cos), product(second, sin)]);
  const turnedSecond = emit.node('Add', [product(second, cos), product(first, sin)]);
  return emit.node('Concat', [turnedFirst, turnedSecond, ...unturned], { attributes: { axis: 2 } });
}
