/** @file A stored weight -> its bytes in a float type, some rows at a time, so that no table has to be held at once. */
import { encodeFloats, type FloatDtype } from '../formats/encodeFloats.ts';
import type { TensorSource } from '../formats/tensorSource.ts';

/** No host has to hold more than this of a weight at once. */
const maxPieceBytes = 32 * 2 ** 20;

/** How many rows of a matrix go into a piece. */
export function countPieceRows(width: number): number {
  return Math.max(1, Math.floor(maxPieceBytes / (4 * width)));
}

/** @param firstRow where a part of a matrix of that shape begins */
export function* readFloatPieces(
  weights: TensorSource,
  { name, shape }: { readonly name: string; readonly shape: readonly number[] },
  dtype: FloatDtype,
  firstRow = 0,
): Generator<Uint8Array> {
  if (shape.length !== 2) {
    yield encodeFloats(weights.readFloat32(name), dtype);
    return;
  }
  const [rows, width] = shape as [number, number];
  const step = countPieceRows(width);
  for (let row = 0; row < rows; row += step) {
    yield encodeFloats(weights.readFloat32Rows(name, firstRow + row, Math.min(step, rows - row)), dtype);
  }
}
