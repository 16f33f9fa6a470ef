import { describe, expect, it } from 'vitest';
import { listProductShapes, measureSpeedup } from '../../../../src/core/train/measureProducts.ts';
import { makeTinyModel } from '../models/tinyModel.ts';

describe('listProductShapes', () => {
  it('counts the products of a layer by shape and terms', () => {
    expect(listProductShapes(makeTinyModel())).toEqual([
      { out: 64, inner: 64, terms: 2, count: 1 },
      { out: 64, inner: 64, terms: 1, count: 1 },
      { out: 48, inner: 64, terms: 1, count: 2 },
      { out: 64, inner: 48, terms: 2, count: 1 },
    ]);
  });

  it('makes none larger than the rate of a product asks for', () => {
    const shapes = listProductShapes(makeTinyModel({ hidden_size: 4096, intermediate_size: 11008 }));
    expect(Math.max(...shapes.flatMap(({ out, inner }) => [out, inner]))).toBe(2048);
  });
});

describe('measureSpeedup', () => {
  /** A clock that says the float products took `floatMs` and the integer ones `integerMs`, turn by turn. */
  function makeClock(floatMs: number, integerMs: number): () => number {
    let asked = 0;
    let time = 0;
    return () => {
      // Start and end of a float product, without the warm-up, then those of an integer product.
      time += asked++ % 4 === 1 ? floatMs : asked % 4 === 0 ? integerMs : 0;
      return time;
    };
  }

  for (const stepType of ['int8', 'uint8'] as const) {
    it(`is the time of float products over that of products of ${stepType}`, async () => {
      const shapes = listProductShapes(makeTinyModel());
      const speedup = await measureSpeedup(shapes, { tokens: 8, threads: 1, stepType }, makeClock(30, 10));
      expect(speedup).toBeCloseTo(3, 6);
    });
  }
});
