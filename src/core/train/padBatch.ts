/** @file A batch of any size -> the same batch in the fixed shape that an engine's graphs are built for. */
import type { PackedBatch } from '../text/packedBatch.ts';

export interface FixedShape {
  readonly batchRows: number;
  readonly contextTokens: number;
  /** Stands where no row is. */
  readonly padTokenId: number;
}

/** Adds columns on the right and rows below: padding that nothing attends to and no label stands on. */
export function padBatch(batch: PackedBatch, { batchRows, contextTokens, padTokenId }: FixedShape): PackedBatch {
  const { batchRows: rows, contextTokens: width } = batch;
  if (rows === batchRows && width === contextTokens) return batch;
  const tokenIds = new Int32Array(batchRows * contextTokens).fill(padTokenId);
  const positions = new Int32Array(batchRows * contextTokens);
  const segments = new Int32Array(batchRows * contextTokens).fill(-1);
  for (let row = 0; row < rows; row++) {
    const [from, to] = [row * width, (row + 1) * width];
    tokenIds.set(batch.tokenIds.subarray(from, to), row * contextTokens);
    positions.set(batch.positions.subarray(from, to), row * contextTokens);
    segments.set(batch.segments.subarray(from, to), row * contextTokens);
  }
  const targetPositions = batch.targetPositions.map(
    position => Math.floor(position / width) * contextTokens + (position % width),
  );
  return { ...batch, batchRows, contextTokens, tokenIds, positions, segments, targetPositions };
}
