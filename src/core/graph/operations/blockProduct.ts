/**
 * @file Products with a frozen matrix that lies in quantized blocks: its floats exist while one product runs, are made
 * again on the way back, and no gradient of them is ever formed. @see https://arxiv.org/abs/2305.14314
 */
import type { BlockForm } from '../../formats/weightBlocks.ts';
import { applyOperation, type FloatType, formatTypes, type Operation, type TensorType, type Value } from '../graph.ts';
import { dimAt } from '../shape.ts';
import { countBlockInputs, emitMatrix, emitMatrixRows, matrixShape } from './blockMatrix.ts';
import { emitMatmul } from './matmul.ts';
import { emitTableRows, locateRows } from './tableShards.ts';

/** A matrix [out, in] as the graph has it: codes, scales and, where the form has them, minimums. */
export interface BlockMatrix {
  readonly form: BlockForm;
  readonly parts: readonly Value[];
}

/** Inputs: x, then the matrix's parts. */
export const blockProductOperation: Operation<BlockForm> = {
  name: 'blockProduct',
  infer: ([x, ...parts], form) => [inferProduct(x!, parts, form, { inner: 1, outer: 0 })],
  gradient: ({ inputs: [, ...parts], attributes, outputGradients: [gradient] }) =>
    gradient ? applyOperation(blockProductGradientOperation, [gradient, ...parts], attributes) : [],
  lower(emit, [x, ...parts], form) {
    const matrix = emitMatrix(emit, parts, form, (tensor, shape) => emit.after(tensor, shape, x!.name));
    return [emitMatmul(emit, x!, matrix, { transposeB: true })];
  },
};

/** x [M, in], matrix [out, in] -> x W^T [M, out]. */
export function blockProduct(x: Value, { parts, form }: BlockMatrix): Value {
  return applyOperation(blockProductOperation, [x, ...parts], form)[0]!;
}

/** Inputs: dy [M, out], then the matrix's parts. dx = dy W, with W made anew once dy is there. */
export const blockProductGradientOperation: Operation<BlockForm> = {
  name: 'blockProductGradient',
  infer: ([gradient, ...parts], form) => [inferProduct(gradient!, parts, form, { inner: 0, outer: 1 })],
  gradient: 'none',
  lower(emit, [gradient, ...parts], form) {
    const matrix = emitMatrix(emit, parts, form, (tensor, shape) => emit.after(tensor, shape, gradient!.name));
    return [emitMatmul(emit, gradient!, matrix)];
  },
};

function inferProduct(
  x: TensorType,
  parts: readonly TensorType[],
  form: BlockForm,
  { inner, outer }: { readonly inner: 0 | 1; readonly outer: 0 | 1 },
): TensorType {
  const matrix = matrixShape(parts[0]!, form);
  if (parts.length !== countBlockInputs(form) || dimAt(x.shape, 1) !== matrix[inner]) {
    throw new Error(`internal: blockProduct: expected fitting matrices, got ${formatTypes([x, ...parts])}`);
  }
  return { dtype: x.dtype, shape: [dimAt(x.shape, 0), matrix[outer]!] };
}

/** Inputs: the row numbers, then the parts of each shard in order. */
export const gatherBlockRowsOperation: Operation<{ readonly form: BlockForm; readonly floatType: FloatType }> = {
  name: 'gatherBlockRows',
  infer([rows, ...parts], { form, floatType }) {
    const [, inner] = matrixShape(parts[0]!, form);
    return [{ dtype: floatType, shape: [...rows!.shape, inner!] }];
  },
  gradient: 'none',
  lower(emit, [rows, ...parts], { form }) {
    const shards = splitShards(parts, form).map(shard => ({
      shape: matrixShape(shard[0]!, form),
      gather: (local: string) => emitMatrixRows(emit, shard, form, { name: local, shape: rows!.shape }),
    }));
    return [emitTableRows(emit, locateRows(emit, rows!, shards), shards)];
  },
};

/** A table [V, C] in shards one after another, rows [...] of whole numbers -> those rows in floats. */
export function gatherBlockRows(shards: readonly BlockMatrix[], rows: Value): Value {
  const parts = shards.flatMap(shard => shard.parts);
  const attributes = { form: shards[0]!.form, floatType: rows.graph.floatType };
  return applyOperation(gatherBlockRowsOperation, [rows, ...parts], attributes)[0]!;
}

/** The parts of each shard, from those of all shards one after another. */
export function splitShards<Part>(parts: readonly Part[], form: BlockForm): (readonly Part[])[] {
  const count = countBlockInputs(form);
  return Array.from({ length: parts.length / count }, (_, index) => parts.slice(index * count, (index + 1) * count));
}
