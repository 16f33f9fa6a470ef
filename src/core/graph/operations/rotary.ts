/**
 * @file Rotary position embedding: turns pairs of a head's elements by an angle that grows with the position. Elements i
 * and i + D/2 are a pair, as in Hugging Face's models. @see https://arxiv.org/abs/2104.09864
 */
import {
  applyOperation,
  type OnnxEmitter,
  type Operand,
  type Operation,
  type TensorType,
  type Value,
} from '../graph.ts';
import { dimAt, divideDims, multiplyDims, staticDim } from '../shape.ts';

interface RotaryAttributes {
  readonly heads: number;
  /** Turns back, which is the gradient: a rotation's transpose is its inverse. */
  readonly inverse: boolean;
}

export const rotaryOperation: Operation<RotaryAttributes> = {
  name: 'rotary',
  infer([x, positions, cosines], { heads }) {
    const headSize = divideDims(dimAt(x!.shape, -1), heads);
    if (headSize !== 2 * staticDim(cosines!.shape, 1) || dimAt(x!.shape, 0) !== multiplyDims(...positions!.shape)) {
      throw new Error('internal: rotary: expected x [B*T, heads*D], positions [B, T] and tables [P, D/2]');
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
        ? emitRotaryEmbedding(emit, x!, positions!, [cosines!.name, sine, wide], heads)
        : emitPlainRotation(emit, x!, cosines!, sine, wide, heads);
    return [emit.reshape(rotated, x!.shape)];
  },
};

/**
 * x [B*T, heads*D] with each head turned by its position.
 * @param positions int32 [B, T]
 * @param cosines of the angles, [positions, D/2], and `sines` likewise
 */
export function rotary(x: Value, positions: Value, cosines: Value, sines: Value, heads: number): Value {
  return applyOperation(rotaryOperation, [x, positions, cosines, sines], { heads, inverse: false })[0]!;
}

function emitRotaryEmbedding(
  emit: OnnxEmitter,
  x: Operand,
  positions: TensorType,
  tables: readonly string[],
  heads: number,
): string {
  const rows = emit.reshape(x.name, [...positions.shape, dimAt(x.shape, -1)]); // [B, T, heads*D]
  return emit.node('RotaryEmbedding', [rows, ...tables], { attributes: { num_heads: heads } });
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
  const pairs = emit.reshape(x.name, [rows, heads, 2 * half]);
  const [first, second] = emit.nodeWithOutputs('Split', [pairs, emit.ints([half, half])], 2, {
    attributes: { axis: 2 },
  }) as [string, string];
  const product = (a: string, b: string): string => emit.node('Mul', [a, b]);
  const turnedFirst = emit.node('Sub', [product(first, cos), product(second, sin)]);
  const turnedSecond = emit.node('Add', [product(second, cos), product(first, sin)]);
  return emit.node('Concat', [turnedFirst, turnedSecond], { attributes: { axis: 2 } });
}
