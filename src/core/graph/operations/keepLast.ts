/** @file The last positions of a sequence, as many as are asked for when the graph runs. */
import { applyOperation, type Operation, type Value } from '../graph.ts';
import type { Dim } from '../shape.ts';

export const keepLastOperation: Operation<{ readonly kept: string }> = {
  name: 'keepLast',
  infer: ([x], { kept }) => [{ dtype: x!.dtype, shape: [x!.shape[0]!, kept, ...x!.shape.slice(2)] }],
  gradient: 'none',
  lower(emit, [x, count]) {
    const start = emit.node('Neg', [emit.node('Reshape', [count!.name, emit.ints([1])])]);
    return [emit.node('Slice', [x!.name, start, emit.ints([Number.MAX_SAFE_INTEGER]), emit.ints([1])])];
  },
};

/** x [B, S, ...] -> [B, kept, ...]. @param count int64 [], 0 for all @param kept names the dimension */
export function keepLast(x: Value, count: Value, kept: string): Value {
  return applyOperation(keepLastOperation, [x, count], { kept })[0]!;
}

export const separateRowsOperation: Operation<{ readonly rows: Dim; readonly kept: string }> = {
  name: 'separateRows',
  infer: ([x], { rows, kept }) => [{ dtype: x!.dtype, shape: [rows, kept, ...x!.shape.slice(1)] }],
  gradient: 'none',
  lower(emit, [x], { rows }) {
    const target = [emit.shapeTensor([rows]), emit.ints([-1, ...x!.shape.slice(1).map(dim => Number(dim))])];
    return [emit.node('Reshape', [x!.name, emit.node('Concat', target, { attributes: { axis: 0 } })])];
  },
};

/** x [B * kept, V] -> [B, kept, V], where no input has the dimension `kept`. @param rows the dimension of an input */
export function separateRows(x: Value, rows: Dim, kept: string): Value {
  return applyOperation(separateRowsOperation, [x], { rows, kept })[0]!;
}
