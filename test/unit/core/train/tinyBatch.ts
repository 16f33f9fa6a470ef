import type { PackedBatch } from '../../../../src/core/text/packedBatch.ts';
import { seededNumbers } from '../graph/seededNumbers.ts';

export interface BatchRow {
  /** Lengths of the row's segments; what is left of the row is padding. */
  readonly segments: readonly number[];
}

/** Rows of random tokens in segments; about two thirds of the positions are supervised, weights differ. */
export function makeTinyBatch(
  seed: number,
  rows: readonly BatchRow[],
  contextTokens: number,
  vocabularySize = 61,
): PackedBatch {
  const size = rows.length * contextTokens;
  const random = seededNumbers(seed, 3 * size, 0, 1);
  const tokenIds = new Int32Array(size);
  const positions = new Int32Array(size);
  const segments = new Int32Array(size).fill(-1);
  const targets: { position: number; label: number; weight: number }[] = [];
  let tokens = 0;
  for (const [row, { segments: lengths }] of rows.entries()) {
    let at = row * contextTokens;
    for (const [segment, length] of lengths.entries()) {
      for (let position = 0; position < length; position++, at++, tokens++) {
        tokenIds[at] = Math.floor(random[3 * at]! * vocabularySize);
        positions[at] = position;
        segments[at] = segment;
        if (position > 0 && random[3 * at + 1]! < 0.66) {
          targets.push({ position: at - 1, label: tokenIds[at]!, weight: random[3 * at + 2]! < 0.3 ? 0.5 : 1 });
        }
      }
    }
  }
  return {
    batchRows: rows.length,
    contextTokens,
    tokenIds,
    positions,
    segments,
    targetPositions: Int32Array.from(targets, target => target.position),
    labels: Int32Array.from(targets, target => target.label),
    labelWeights: Float32Array.from(targets, target => target.weight),
    tokens,
  };
}

/** The same examples, each alone in a row and padded. */
export function unpack(batch: PackedBatch): PackedBatch {
  const { contextTokens } = batch;
  const places = new Map<string, number>();
  const moved = Int32Array.from(batch.tokenIds, (_, at) => {
    if (batch.segments[at] === -1) return -1;
    const key = `${Math.floor(at / contextTokens)} ${batch.segments[at]}`;
    if (!places.has(key)) places.set(key, places.size);
    return places.get(key)! * contextTokens + batch.positions[at]!;
  });
  const size = places.size * contextTokens;
  const spread = (values: Int32Array, empty: number): Int32Array => {
    const out = new Int32Array(size).fill(empty);
    for (const [at, to] of moved.entries()) if (to >= 0) out[to] = values[at]!;
    return out;
  };
  return {
    ...batch,
    batchRows: places.size,
    tokenIds: spread(batch.tokenIds, 0),
    positions: spread(batch.positions, 0),
    segments: spread(
      batch.segments.map(segment => Math.min(segment, 0)),
      -1,
    ),
    targetPositions: batch.targetPositions.map(position => moved[position]!),
  };
}
