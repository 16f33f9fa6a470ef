import { describe, expect, it } from 'vitest';
import { type EncodedRow, weighBatch } from '../../../../src/core/text/packedBatch.ts';
import { countBatchRows, createPairOrder, pairEvaluationBatches } from '../../../../src/core/text/pairBatches.ts';

/** Pairs whose tokens name them: pair 3's chosen answer is 30, 30, ..., its rejected one 31, 31, ... */
function makePairs(lengths: readonly (readonly [number, number])[]): EncodedRow[] {
  return lengths.flatMap((both, pair) =>
    both.map((length, side) => ({
      row: pair,
      tokenIds: new Int32Array(length).fill(10 * pair + side),
      supervised: Uint8Array.from({ length }, (_, i) => Number(i >= 2)),
    })),
  );
}

const lengths = [5, 9, 3, 12, 7, 4, 20, 6].map((length, i) => [length, 3 + ((7 * i) % 11)] as const);
const rows = makePairs(lengths);
const settings = {
  contextTokens: 24,
  batchRows: 2,
  gradientAccumulation: 1,
  packing: true,
  seed: 5,
  padTokenId: 99,
  rpoAlpha: 0.5,
};

describe('createPairOrder', () => {
  it('meets every pair once an epoch, both answers in one batch', () => {
    const order = createPairOrder(rows, settings);
    const met: number[] = [];
    for (let step = 0; step < order.stepsPerEpoch; step++) {
      const batch = order.batch(step, 0);
      const { pairOfLabel, signs, reference } = batch.preference!;
      expect(weighBatch(batch)).toBe(reference.length / 2);
      expect(batch.batchRows).toBe(2 * (batch.batchRows / 2));
      for (const [n, label] of batch.labels.entries()) {
        const pair = Math.floor(label / 10);
        expect(signs[n]).toBe(label % 10 === 0 ? 1 : -1);
        expect(batch.tokenIds[batch.targetPositions[n]!]).toBe(label);
        expect(batch.rows![pairOfLabel[n]!]!.row).toBe(pair);
        const labels = lengths[pair]![0] - 2;
        expect(batch.labelWeights[n]).toBeCloseTo(label % 10 === 0 ? 0.5 / labels : 0);
      }
      met.push(...batch.rows!.map(row => row.tokenIds[0]!));
    }
    expect(met.sort((a, b) => a - b)).toEqual(lengths.flatMap((_, pair) => [10 * pair, 10 * pair + 1]));
  });

  it('packs pairs by the longer of the two, so that both fit their context', () => {
    const { packs } = createPairOrder(rows, settings);
    expect(packs.length).toBeLessThan(lengths.length);
    for (const side of [0, 1]) {
      for (const pack of packs) {
        expect(pack.reduce((sum, pair) => sum + lengths[pair]![side]!, 0)).toBeLessThanOrEqual(24);
      }
    }
  });
});

describe('pairEvaluationBatches', () => {
  it('gives every pair once, apart where packing is off', () => {
    for (const packing of [true, false]) {
      const batches = [...pairEvaluationBatches(rows, { ...settings, packing })];
      const met = batches.flatMap(batch => batch.rows!.map(row => row.tokenIds[0]!));
      expect(met.sort((a, b) => a - b)).toEqual(lengths.flatMap((_, pair) => [10 * pair, 10 * pair + 1]));
      if (!packing) expect(batches.map(({ batchRows }) => batchRows)).toEqual([4, 4, 4, 4]);
    }
  });
});

describe('countBatchRows', () => {
  it('gives a pair two contexts', () => {
    expect(countBatchRows({ objective: 'dpo', batchRows: 3 })).toBe(6);
    expect(countBatchRows({ objective: 'sft', batchRows: 3 })).toBe(3);
  });
});
