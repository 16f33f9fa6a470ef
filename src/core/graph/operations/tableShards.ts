/**
 * @file A table of many rows (an embedding, a head) that is kept in several tensors, so that none grows past what one
 * allocation may be: where in which shard a row is.
 */
import type { DataType, OnnxEmitter, Operand } from '../graph.ts';
import { type Shape, staticDim } from '../shape.ts';

/** Where the asked rows are in one shard. */
export interface ShardRows {
  /** Row numbers within the shard, 0 for rows that are elsewhere. */
  readonly local: string;
  /** Which of them are in this shard, bool; absent when all are. */
  readonly inside: string | undefined;
}

/** For each shard, where its part of the row numbers `rows` is; the shapes are those of `rows`. */
export function locateRows(
  emit: OnnxEmitter,
  rows: { readonly name: string; readonly dtype: DataType },
  shards: readonly { readonly shape: Shape }[],
): ShardRows[] {
  if (shards.length === 1) return [{ local: rows.name, inside: undefined }];
  const number = (value: number): string => emit.constant({ dtype: rows.dtype, shape: [], values: [value] });
  let firstRow = 0;
  return shards.map(shard => {
    const rowCount = staticDim(shard.shape, 0);
    const shifted = emit.node('Sub', [rows.name, number(firstRow)]);
    firstRow += rowCount;
    const inside = emit.node('And', [
      emit.node('GreaterOrEqual', [shifted, number(0)]),
      emit.node('Less', [shifted, number(rowCount)]),
    ]);
    return { local: emit.node('Where', [inside, shifted, number(0)]), inside };
  });
}

/** One part of a table [V, C], in whatever form it is kept. */
export interface TableShard {
  /** Of the part. */
  readonly shape: Shape;
  /** Its rows by their number within it, [...] -> [..., C]. */
  gather(rows: string): string;
}

export function toTableShard(emit: OnnxEmitter, { name, shape }: Operand): TableShard {
  return { shape, gather: rows => emit.node('Gather', [name, rows], { attributes: { axis: 0 } }) };
}

/** Each shard's rows [..., C] where they are inside, summed over shards; zero where a shard does not have the row. */
export function emitTableRows(emit: OnnxEmitter, located: readonly ShardRows[], shards: readonly TableShard[]): string {
  return located
    .map(({ local, inside }, index) => {
      const found = shards[index]!.gather(local);
      return keepInside(emit, found, inside && emit.node('Unsqueeze', [inside, emit.ints([-1])]));
    })
    .reduce((sum, part) => emit.node('Add', [sum, part]));
}

/** `tensor` where `inside`, else zero; `tensor` itself when everything is. */
export function keepInside(emit: OnnxEmitter, tensor: string, inside: string | undefined): string {
  return inside === undefined ? tensor : emit.node('Where', [inside, tensor, emit.floats([0], [])]);
}
