import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstAtLeast, pickMinMax, rangeWithin } from '../../../../webview/run/downsample.ts';

const series = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { maxLength: 2000 });

describe('pickMinMax', () => {
  it('keeps every point of a series that fits', () => {
    expect(pickMinMax([5, 4, 3, 2], { from: 1, to: 4 }, 10)).toEqual([1, 2, 3]);
    expect(pickMinMax([], { from: 0, to: 0 }, 10)).toEqual([]);
  });

  it('gives ascending indices, no more than asked for, with both ends', () => {
    fc.assert(
      fc.property(series, fc.integer({ min: 1, max: 50 }), (values, buckets) => {
        const picked = pickMinMax(values, { from: 0, to: values.length }, buckets);
        expect(picked.length).toBeLessThanOrEqual(2 * buckets + 2);
        expect(picked.every((index, i) => i === 0 || index > picked[i - 1]!)).toBe(true);
        if (values.length > 0) expect([picked[0], picked.at(-1)]).toEqual([0, values.length - 1]);
      }),
    );
  });

  it('never loses the lowest and the highest point', () => {
    fc.assert(
      fc.property(series, fc.integer({ min: 1, max: 50 }), (values, buckets) => {
        const kept = pickMinMax(values, { from: 0, to: values.length }, buckets).map(index => values[index]!);
        expect(Math.min(...kept)).toBe(Math.min(...values));
        expect(Math.max(...kept)).toBe(Math.max(...values));
      }),
    );
  });

  it('draws one spike among a hundred thousand points', () => {
    const values = new Array<number>(100_000).fill(1);
    values[54_321] = 9;
    const picked = pickMinMax(values, { from: 0, to: values.length }, 1000);
    expect(picked).toContain(54_321);
    expect(picked.length).toBeLessThanOrEqual(2002);
  });
});

describe('firstAtLeast', () => {
  it('agrees with looking at every value', () => {
    const ascending = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 60 }).map(xs => xs.sort((a, b) => a - b));
    fc.assert(
      fc.property(ascending, fc.integer({ min: -5, max: 60 }), (xs, value) => {
        const index = xs.findIndex(x => x >= value);
        expect(firstAtLeast(xs, value)).toBe(index === -1 ? xs.length : index);
      }),
    );
  });
});

describe('rangeWithin', () => {
  it('takes one neighbour at each side, so that lines reach the edges', () => {
    const xs = [1, 2, 3, 4, 5, 6];
    expect(rangeWithin(xs, 2.5, 4.5)).toEqual({ from: 1, to: 5 });
    expect(rangeWithin(xs, 0, 100)).toEqual({ from: 0, to: 6 });
    expect(rangeWithin([], 0, 1)).toEqual({ from: 0, to: 0 });
  });
});
