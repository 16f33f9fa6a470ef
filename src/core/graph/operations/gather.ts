/** @file Rows by their number: gather (an embedding, or chosen positions) and its reverse, adding rows where they belong. */
import { applyOperation, type Operation, type Value } from '../graph.ts';
import { type Dim, dimAt, multiplyDims, staticDim } from '../shape.ts';
import { slice } from './slice.ts';
import { emitTableRows, locateRows, toTableShard } from './tableShards.ts';

/** Inputs: the row numbers, then the table's shards in order (usually one). */
export const gatherRowsOperation: Operation<null> = {
  name: 'gatherRows',
  infer: ([rows, ...shards]) => [{ dtype: shards[0]!.dtype, shape: [...rows!.shape, ...shards[0]!.shape.slice(1)] }],
  gradient({ inputs: [rows, ...shards], outputGradients: [gradient] }) {
    if (!gradient) return [];
    if (shards.length === 1) return [undefined, scatterAddRows(gradient, rows!, dimAt(shards[0]!.shape, 0))];
    const ends = shards.map((_, index) =>
      shards.slice(0, index + 1).reduce((total, { shape }) => total + staticDim(shape, 0), 0),
    );
    const table = scatterAddRows(gradient, rows!, ends.at(-1)!);
    return [undefined, ...ends.map((end, index) => slice(table, 0, ends[index - 1] ?? 0, end))];
  },
  lower(emit, [rows, ...shards]) {
    const parts = shards.map(shard => toTableShard(emit, shard));
    return [emitTableRows(emit, locateRows(emit, rows!, parts), parts)];
  },
};

/**
 * table [V, ...], rows [...] of whole numbers -> the table's rows in that order.
 * @param table one tensor, or its shards [V1, C], [V2, C]... one after another
 */
export function gatherRows(table: Value | readonly Value[], rows: Value): Value {
  const shards = 'graph' in table ? [table] : table;
  return applyOperation(gatherRowsOperation, [rows, ...shards], null)[0]!;
}

export const scatterAddRowsOperation: Operation<{ readonly rowCount: Dim }> = {
  name: 'scatterAddRows',
  infer: ([rows, indices], { rowCount }) => [
    { dtype: rows!.dtype, shape: [rowCount, ...rows!.shape.slice(indices!.shape.length)] },
  ],
  gradient: ({ inputs: [, indices], outputGradients: [gradient] }) => [gradient && gatherRows(gradient, indices!)],
  /** ScatterElements, not ScatterND: ONNX Runtime adds the latter's rows in parallel, and loses some of equal index. */
  lower(emit, [rows, indices], { rowCount }) {
    const width = multiplyDims(...rows!.shape.slice(indices!.shape.length));
    const count = multiplyDims(...indices!.shape);
    const zeros = emit.node('Expand', [emit.floats([0], []), emit.shapeTensor([rowCount, width])]);
    const places = emit.node('Expand', [emit.reshape(indices!.name, [count, 1]), emit.shapeTensor([count, width])]);
    const table = emit.node('ScatterElements', [zeros, places, emit.reshape(rows!.name, [count, width])], {
      attributes: { axis: 0, reduction: 'add' },
    });
    return [emit.reshape(table, [rowCount, ...rows!.shape.slice(indices!.shape.length)])];
  },
};

/** A table of `rowCount` rows, zero but for the given rows, which are added where their indices say. */
export function scatterAddRows(rows: Value, indices: Value, rowCount: Dim): Value {
  return applyOperation(scatterAddRowsOperation, [rows, indices], { rowCount })[0]!;
}
