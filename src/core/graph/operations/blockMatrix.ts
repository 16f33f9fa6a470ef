/**
 * @file A matrix in quantized blocks -> the same matrix in floats, inside the graph and only while something reads it.
 * value = scale x code + minimum, each operation rounded to float32 as `weightBlocks.ts` says; bytes are taken apart by
 * arithmetic on bytes, which is many times faster than ONNX Runtime's kernels for 4 bit.
 */
import type { BlockForm } from '../../formats/weightBlocks.ts';
import type { OnnxEmitter, Operand } from '../graph.ts';
import { dimAt, multiplyDims, type Shape, staticDim } from '../shape.ts';

/** The inputs that a matrix in blocks is: codes [out, in / block, bytes], scales and perhaps minimums [out, in / block]. */
export function countBlockInputs(form: BlockForm): 2 | 3 {
  return form.hasMinimum ? 3 : 2;
}

/** [out, in] of the matrix whose codes these are. */
export function matrixShape(codes: { readonly shape: Shape }, form: BlockForm): Shape {
  return [dimAt(codes.shape, 0), staticDim(codes.shape, 1) * form.blockElements];
}

/**
 * The matrix [out, in] in floats.
 * @param wait a tensor in another shape, but not before what the product needs is there; see `emit.after`. Without it
 *   ONNX Runtime would make all matrices of a graph first, or merge equal ones, and keep their floats
 */
export function emitMatrix(
  emit: OnnxEmitter,
  [codes, ...others]: readonly Operand[],
  form: BlockForm,
  wait: (tensor: string, shape: Shape) => string,
): Pick<Operand, 'name' | 'shape'> {
  const shape = matrixShape(codes!, form);
  const blocks = multiplyDims(dimAt(codes!.shape, 0), dimAt(codes!.shape, 1));
  const bytes = wait(codes!.name, [blocks, dimAt(codes!.shape, 2)]);
  const flat = others.map(part => wait(part.name, [blocks, 1]));
  return { name: emit.reshape(emitBlocks(emit, bytes, flat, form), shape), shape };
}

/** Chosen rows of the matrix: rows [...] -> [..., in] in floats. */
export function emitMatrixRows(
  emit: OnnxEmitter,
  parts: readonly Operand[],
  form: BlockForm,
  rows: { readonly name: string; readonly shape: Shape },
): string {
  const gathered = parts.map(part => emit.node('Gather', [part.name, rows.name], { attributes: { axis: 0 } }));
  const inBlocks = staticDim(parts[0]!.shape, 1);
  const bytes = emit.node('Reshape', [gathered[0]!, emit.ints([-1, staticDim(parts[0]!.shape, 2)])]);
  const flat = gathered.slice(1).map(part => emit.node('Reshape', [part, emit.ints([-1, 1])]));
  const values = emitBlocks(emit, bytes, flat, form);
  return emit.reshape(values, [...rows.shape, inBlocks * form.blockElements]);
}

/** bytes [blocks, bytes of one] and scales, minimums [blocks, 1] -> [blocks, elements of one] in floats. */
function emitBlocks(emit: OnnxEmitter, bytes: string, flat: readonly string[], form: BlockForm): string {
  const [scales, minimums] = flat.map(part => emit.cast(part, emit.floatType));
  const factor = form.bits === 4 ? emit.node('Mul', [scales!, emit.floats([1 / 16], [])]) : scales!;
  const codes = form.bits === 4 ? emitNibbles(emit, bytes, form.hasMinimum) : bytes;
  const scaled = emitScaled(emit, codes, factor);
  return minimums === undefined ? scaled : emit.node('Add', [scaled, minimums]);
}

/** Bytes of two nibbles [blocks, 16] -> 16 times the codes, [blocks, 32]: low nibbles first. Byte arithmetic wraps round. */
function emitNibbles(emit: OnnxEmitter, bytes: string, isUnsigned: boolean): string {
  const byte = (value: number): string => emit.constant({ dtype: 'uint8', shape: [], values: [value] });
  const low = emit.node('Mul', [bytes, byte(16)]);
  const high = emit.node('BitwiseAnd', [bytes, byte(0xf0)]);
  const both = emit.node('Concat', [low, high], { attributes: { axis: 1 } });
  return isUnsigned ? both : emit.cast(emit.node('Sub', [both, byte(128)]), 'int8');
}

/** codes [blocks, n] x factor [blocks, 1]; in float32 by one pass of DequantizeLinear. */
function emitScaled(emit: OnnxEmitter, codes: string, factor: string): string {
  if (emit.floatType === 'float64') return emit.node('Mul', [emit.cast(codes, 'float64'), factor]);
  return emit.node('DequantizeLinear', [codes, emit.node('Reshape', [factor, emit.ints([-1])])], {
    attributes: { axis: 0 },
  });
}
