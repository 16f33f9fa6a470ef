/** @file Rows by their number: gather (an embedding, or chosen positions) and its reverse, adding rows where they belong. */
import { applyOperation, type Operation, type Value } from '../graph.ts';
import { type Dim, dimAt, multiplyDims } from '../shape.ts';

export const gatherRowsOperation: Operation<null> = {
  name: 'gatherRows',
  infer: ([table, indices]) => [{ dtype: table!.dtype, shape: [...indices!.shape, ...table!.shape.slice(1)] }],
  gradient: ({ inputs: [table, indices], outputGradients: [gradient] }) => [
    gradient && scatterAddRows(gradient, indices!, dimAt(table!.shape, 0)),
  ],
  lower: (emit, [table, indices]) => [emit.node('Gather', [table!.name, indices!.name], { attributes: { axis: 0 } })],
};

/** table [V, ...], indices [...] of int32 -> the table's rows in the indices' order. */
export function gatherRows(table: Value, indices: Value): Value {
  return applyOperation(gatherRowsOperation, [table, indices], null)[0]!;
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
