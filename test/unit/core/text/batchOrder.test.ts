import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBatchOrder, evaluationBatches, planSteps } from '../../../../src/core/text/batchOrder.ts';
import type { EncodedRow, PackedBatch } from '../../../../src/core/text/packedBatch.ts';
import { packRows } from '../../../../src/core/text/packRows.ts';
import { permute } from '../../../../src/core/text/seededOrder.ts';

const context = 100;
/** Rows whose tokens all differ, so that every token can be found again. */
function makeRows(shapes: readonly { length: number; from: number }[]): EncodedRow[] {
  let next = 1;
  return shapes.map(({ length, from }, row) => ({
    row,
    tokenIds: Int32Array.from({ length }, () => next++),
    supervised: Uint8Array.from({ length }, (_, i) => (i >= Math.max(1, from % length) ? 1 : 0)),
  }));
}
const shapes = fc.array(fc.record({ length: fc.integer({ min: 2, max: context }), from: fc.nat(99) }), {
  minLength: 1,
  maxLength: 60,
});
const settings = fc.record({
  contextTokens: fc.constant(context),
  batchRows: fc.integer({ min: 1, max: 5 }),
  gradientAccumulation: fc.integer({ min: 1, max: 4 }),
  packing: fc.boolean(),
  seed: fc.maxSafeNat(),
  padTokenId: fc.constant(0),
});

/** The segments of a batch as the rows' tokens, with everything about them checked. */
function readSegments(batch: PackedBatch, rows: readonly EncodedRow[]): number[] {
  const found: number[] = [];
  const labelAt = new Map<number, number>();
  for (const [i, position] of batch.targetPositions.entries()) labelAt.set(position, batch.labels[i]!);
  const rowOfFirstToken = new Map(rows.map(row => [row.tokenIds[0]!, row]));
  let tokens = 0;
  for (let b = 0; b < batch.batchRows; b++) {
    for (let t = 0; t < batch.contextTokens; ) {
      const at = b * batch.contextTokens + t;
      if (batch.segments[at] === -1) {
        expect(batch.tokenIds[at]).toBe(0);
        expect(labelAt.has(at)).toBe(false);
        t += 1;
        continue;
      }
      const row = rowOfFirstToken.get(batch.tokenIds[at]!)!;
      for (const [i, id] of row.tokenIds.entries()) {
        expect(batch.tokenIds[at + i]).toBe(id);
        expect(batch.positions[at + i]).toBe(i);
        expect(batch.segments[at + i]).toBe(batch.segments[at]);
        // A label is the next token of the same row, exactly where that token is supervised.
        expect(labelAt.get(at + i)).toBe(row.supervised[i + 1] === 1 ? row.tokenIds[i + 1] : undefined);
      }
      expect(batch.segments[at + row.tokenIds.length] ?? -1).not.toBe(
        t + row.tokenIds.length < batch.contextTokens ? batch.segments[at] : Number.NaN,
      );
      found.push(row.row);
      tokens += row.tokenIds.length;
      t += row.tokenIds.length;
    }
  }
  expect(batch.tokens).toBe(tokens);
  expect(batch.labelWeights.every(weight => weight === 1)).toBe(true);
  return found;
}

describe('packRows', () => {
  it('puts every row into exactly one pack and none over the context', () => {
    fc.assert(
      fc.property(shapes, fc.maxSafeNat(), (list, seed) => {
        const rows = makeRows(list);
        const packs = packRows(rows, context, permute(rows.length, seed));
        expect(packs.flat().sort((a, b) => a - b)).toEqual(rows.map(row => row.row));
        for (const pack of packs)
          expect(pack.reduce((sum, row) => sum + list[row]!.length, 0)).toBeLessThanOrEqual(context);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('packs as best-fit decreasing does', () => {
    fc.assert(
      fc.property(shapes, list => {
        const bins: number[] = [];
        for (const { length } of [...list].sort((a, b) => b.length - a.length)) {
          const fitting = bins.map((used, i) => [context - used, i] as const).filter(([room]) => room >= length);
          const tightest = fitting.sort((a, b) => a[0] - b[0])[0];
          if (tightest) bins[tightest[1]]! += length;
          else bins.push(length);
        }
        const rows = makeRows(list);
        const packs = packRows(rows, context, permute(rows.length, 0));
        const used = packs.map(pack => pack.reduce((sum, row) => sum + list[row]!.length, 0));
        expect(used.sort()).toEqual(bins.sort());
      }),
      { seed: 2, numRuns: 300 },
    );
  });
});

describe('createBatchOrder', () => {
  it('meets every row once an epoch, whole, with positions restarted and labels in place', () => {
    fc.assert(
      fc.property(shapes, settings, fc.nat(3), (list, chosen, epoch) => {
        const rows = makeRows(list);
        const order = createBatchOrder(rows, chosen);
        const met: number[] = [];
        for (let s = 0; s < order.stepsPerEpoch; s++) {
          const step = epoch * order.stepsPerEpoch + s;
          const { microBatches, ...position } = order.locate(step);
          expect(position).toEqual({ epoch, stepInEpoch: s });
          const sums = { tokens: 0, supervisedTokens: 0 };
          for (let m = 0; m < microBatches; m++) {
            const batch = order.batch(step, m);
            expect(batch.batchRows).toBeGreaterThan(0);
            expect(batch.batchRows).toBeLessThanOrEqual(chosen.batchRows);
            met.push(...readSegments(batch, rows));
            sums.tokens += batch.tokens;
            sums.supervisedTokens += batch.labels.length;
          }
          expect(order.countStep(step)).toEqual(sums);
          expect(microBatches).toBeLessThanOrEqual(chosen.gradientAccumulation);
        }
        expect(met.sort((a, b) => a - b)).toEqual(rows.map(row => row.row));
      }),
      { seed: 3, numRuns: 150 },
    );
  });

  it('gives the same batch from the position alone, whatever was asked before', () => {
    const rows = makeRows(Array.from({ length: 40 }, (_, i) => ({ length: 5 + ((i * 37) % 60), from: 3 })));
    const chosen = {
      contextTokens: context,
      batchRows: 2,
      gradientAccumulation: 2,
      packing: true,
      seed: 42,
      padTokenId: 0,
    };
    const straight = createBatchOrder(rows, chosen);
    const steps = Array.from({ length: 3 * straight.stepsPerEpoch }, (_, step) => straight.batch(step, 0));
    const resumed = createBatchOrder(rows, chosen);
    for (const step of [7, 2, 11, 0]) expect(resumed.batch(step, 0)).toEqual(steps[step]);
  });

  it('changes the order with the epoch and with the seed', () => {
    const rows = makeRows(Array.from({ length: 30 }, () => ({ length: 80, from: 3 })));
    const chosen = { contextTokens: context, batchRows: 30, gradientAccumulation: 1, packing: false, padTokenId: 0 };
    const first = createBatchOrder(rows, { ...chosen, seed: 1 });
    expect(first.packsOf(0, 0)).not.toEqual(first.packsOf(1, 0));
    expect(first.packsOf(0, 0)).not.toEqual(createBatchOrder(rows, { ...chosen, seed: 2 }).packsOf(0, 0));
  });

  it('is no wider than its longest pack needs', () => {
    const rows = makeRows([
      { length: 10, from: 1 },
      { length: 70, from: 1 },
    ]);
    const order = createBatchOrder(rows, {
      contextTokens: 1000,
      batchRows: 2,
      gradientAccumulation: 1,
      packing: false,
      seed: 1,
      padTokenId: 0,
    });
    expect(order.batch(0, 0).contextTokens).toBe(128);
  });
});

describe('evaluationBatches', () => {
  it('holds every row once, in the same batches each time', () => {
    fc.assert(
      fc.property(shapes, settings, (list, chosen) => {
        const rows = makeRows(list);
        const batches = [...evaluationBatches(rows, chosen)];
        const met = batches.flatMap(batch => readSegments(batch, rows));
        expect(met.sort((a, b) => a - b)).toEqual(rows.map(row => row.row));
        expect([...evaluationBatches(rows, chosen)]).toEqual(batches);
      }),
      { seed: 4, numRuns: 100 },
    );
  });
});

describe('planSteps', () => {
  it.each([
    [{ epochs: 3, maxSteps: null }, 15, 3],
    [{ epochs: 0.5, maxSteps: null }, 3, 0.6],
    [{ epochs: 3, maxSteps: 2 }, 2, 0.4],
    [{ epochs: 1, maxSteps: 100 }, 100, 20],
  ])('plans %o', (length, totalSteps, epochs) => {
    const plan = planSteps(33, { batchRows: 4, gradientAccumulation: 2, ...length });
    expect(plan).toEqual({ packs: 33, stepsPerEpoch: 5, totalSteps, epochs });
  });
});

describe('permute', () => {
  it('is a permutation that depends on every number', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.maxSafeNat(), (count, seed) => {
        expect([...permute(count, seed)].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
        expect(permute(count, seed)).toEqual(permute(count, seed));
      }),
      { seed: 5, numRuns: 100 },
    );
    expect(permute(50, 1, 2)).not.toEqual(permute(50, 2, 1));
    expect(permute(50, 1)).not.toEqual(permute(50, 1 + 2 ** 32));
  });

  it('puts each number at each place about equally often', () => {
    const counts = Array.from({ length: 5 }, () => [0, 0, 0, 0, 0]);
    for (let seed = 0; seed < 5000; seed++) {
      for (const [place, value] of permute(5, seed).entries()) counts[place]![value]! += 1;
    }
    for (const row of counts) for (const count of row) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});
