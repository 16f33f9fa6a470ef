/** @file Chosen rows of a table that stays in quantized blocks -> floats: the embedding of decoding. */
import { countCodeBytes, type PackedForm } from '../../formats/packedMatrix.ts';
import { applyOperation, type OnnxEmitter, type Operand, type Operation, type Value } from '../graph.ts';
import { staticDim } from '../shape.ts';
import type { PackedWeight } from './packedLinear.ts';
import { keepInside, locateRows } from './tableShards.ts';

/** A shard of a table: its blocks, and what is added to each of them where the form has a minimum. */
export interface PackedTable extends PackedWeight {
  /** [V, C / block] */
  readonly offsets: Value | undefined;
}

/** Inputs: the row numbers, then codes, scales and perhaps offsets of each shard in order. */
export const packedRowsOperation: Operation<PackedForm> = {
  name: 'packedRows',
  infer([rows, codes, scales], { blockElements }) {
    return [{ dtype: scales!.dtype, shape: [...rows!.shape, staticDim(codes!.shape, 1) * blockElements] }];
  },
  gradient: 'none',
  lower(emit, [rows, ...parts], form) {
    const count = form.hasMinimum ? 3 : 2;
    const shards = Array.from({ length: parts.length / count }, (_, i) => parts.slice(i * count, (i + 1) * count));
    const located = locateRows(
      emit,
      rows!,
      shards.map(([codes]) => codes!),
    );
    const found = shards.map((shard, index) => {
      const { local, inside } = located[index]!;
      const values = emit.reshape(emitRows(emit, shard, form, local), [
        ...rows!.shape,
        staticDim(shard[0]!.shape, 1) * form.blockElements,
      ]);
      return keepInside(emit, values, inside && emit.node('Unsqueeze', [inside, emit.ints([-1])]));
    });
    return [found.reduce((sum, part) => emit.node('Add', [sum, part]))];
  },
};

/** [rows x blocks, elements of a block] */
function emitRows(
  emit: OnnxEmitter,
  [codes, scales, offsets]: readonly Operand[],
  form: PackedForm,
  rows: string,
): string {
  const gather = (table: Operand, width: number): string =>
    emit.node('Reshape', [
      emit.node('Gather', [table.name, rows], { attributes: { axis: 0 } }),
      emit.ints([-1, width]),
    ]);
  const bytes = gather(codes!, countCodeBytes(form));
  const unsigned = emit.cast(form.bits === 4 ? emitNibbles(emit, bytes, form) : bytes, 'float32');
  const steps = emit.node('Sub', [unsigned, emit.floats([form.bits === 4 ? 8 : 128], [])]);
  const values = emit.node('Mul', [steps, gather(scales!, 1)]);
  return offsets ? emit.node('Add', [values, gather(offsets, 1)]) : values;
}

/** Bytes [n, 16] -> nibbles [n, 32], the low one of each byte first. */
function emitNibbles(emit: OnnxEmitter, bytes: string, { blockElements }: PackedForm): string {
  const byte = (value: number): string => emit.constant({ dtype: 'uint8', shape: [], values: [value] });
  const apart = (nibbles: string): string => emit.node('Unsqueeze', [nibbles, emit.ints([-1])]);
  const low = emit.node('BitwiseAnd', [bytes, byte(15)]);
  const high = emit.node('Div', [bytes, byte(16)]);
  const pairs = emit.node('Concat', [apart(low), apart(high)], { attributes: { axis: -1 } });
  return emit.node('Reshape', [pairs, emit.ints([-1, blockElements])]);
}

/** rows [...] of whole numbers -> those rows of the table [..., C]. */
export function packedRows(shards: readonly PackedTable[], rows: Value): Value {
  const parts = shards.flatMap(({ codes, scales, offsets }) => [codes, scales, ...(offsets ? [offsets] : [])]);
  return applyOperation(packedRowsOperation, [rows, ...parts], shards[0]!.form)[0]!;
}
