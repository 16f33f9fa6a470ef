/** @file Adapters that stay as they are under a new one -> their tensors, one pair a module, for Python to add. */
import { encodeFloats } from '../../formats/encodeFloats.ts';
import type { TensorToWrite } from '../../formats/writeSafetensors.ts';
import type { FrozenPair } from '../../train/startValues.ts';

export function stackedTensors(stacked: readonly FrozenPair[]): TensorToWrite[] {
  return stacked.flatMap(({ module, rank, a, b }) => [
    matrix(`${module}.a`, [rank, a.length / rank], a),
    matrix(`${module}.b`, [b.length / rank, rank], b),
  ]);
}

function matrix(name: string, shape: readonly number[], data: Float32Array): TensorToWrite {
  return { name, dtype: 'F32', shape, readPieces: () => [encodeFloats(data, 'F32')] };
}
