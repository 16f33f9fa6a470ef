/** @file Weights in whatever form they lie -> graph inputs, and what graphs compute with them. */
import type { Value } from '../graph/graph.ts';
import { type BlockMatrix, blockProduct, gatherBlockRows } from '../graph/operations/blockProduct.ts';
import { gatherRows } from '../graph/operations/gather.ts';
import { integerLinear } from '../graph/operations/integerLinear.ts';
import { matmul } from '../graph/operations/matmul.ts';
import type { FrozenProduct } from '../nn/adapter.ts';
import type { ParameterInfo } from './architecture.ts';
import type { Model } from './findArchitecture.ts';
import { type ParameterTensor, splitTable } from './parameterTensors.ts';
import { describeWeightInputs, formOf, type WeightInput } from './weightForm.ts';

/** Makes a graph input, or hands out the one of that name. */
export type AddInput = (input: WeightInput) => Value;

export interface FrozenWeight {
  readonly product: FrozenProduct;
  /** [out, in] in floats, where the weight lies so. */
  readonly matrix?: Value | undefined;
}

/** An embedding or a head: one matrix, or its shards in order, all of one form. */
export type Table = readonly Value[] | readonly BlockMatrix[];

export function addLinearWeight(addInput: AddInput, model: Model, info: ParameterInfo): FrozenWeight {
  const form = formOf(model, info);
  if (form.kind === 'integer') {
    const [steps, scales] = describeWeightInputs(info, form).map(addInput);
    return { product: x => integerLinear(x, steps!, scales!, { terms: form.terms }) };
  }
  const matrix = addMatrix(addInput, model, info);
  if ('form' in matrix) return { product: x => blockProduct(x, matrix) };
  return { product: x => matmul(x, matrix, { transposeB: true }), matrix };
}

export function addTable(addInput: AddInput, model: Model, info: ParameterInfo): Table {
  const shards = splitTable(model, info).map(shard => addMatrix(addInput, model, shard));
  const blocks = shards.filter(shard => 'form' in shard);
  return blocks.length > 0 ? blocks : shards.filter(shard => 'graph' in shard);
}

/** rows [...] of whole numbers -> those rows of the table, [..., C]. */
export function gatherTableRows(table: Table, rows: Value): Value {
  return isBlockTable(table) ? gatherBlockRows(table, rows) : gatherRows(table, rows);
}

/** x [M, C] -> x W^T with each shard of the table, [M, rows of the shard]. */
export function multiplyTable(x: Value, table: Table): Value[] {
  return isBlockTable(table)
    ? table.map(shard => blockProduct(x, shard))
    : table.map(shard => matmul(x, shard, { transposeB: true }));
}

function isBlockTable(table: Table): table is readonly BlockMatrix[] {
  return 'form' in table[0]!;
}

function addMatrix(addInput: AddInput, model: Model, tensor: ParameterTensor): Value | BlockMatrix {
  const form = formOf(model, tensor);
  const inputs = describeWeightInputs(tensor, form).map(addInput);
  switch (form.kind) {
    case 'float':
      return inputs[0]!;
    case 'blocks':
      return { form, parts: inputs };
    case 'integer':
      throw new Error(`internal: ${tensor.name}: expected a table in floats or blocks, got integers`);
  }
}
