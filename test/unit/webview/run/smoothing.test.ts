import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { smoothDebiased } from '../../../../webview/run/smoothing.ts';

describe('smoothDebiased', () => {
  it('lets the first value stand for itself', () => {
    expect(smoothDebiased([3, 1], 0.9)[0]).toBeCloseTo(3, 12);
  });

  it('corrects the bias as Adam does', () => {
    // m2 = 0.9 * 0.1 * 3 + 0.1 * 1 = 0.37, 1 - 0.9^2 = 0.19
    expect(smoothDebiased([3, 1], 0.9)[1]).toBeCloseTo(0.37 / 0.19, 12);
  });

  it('leaves a constant loss as it is', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.99, noNaN: true }), fc.integer({ min: 1, max: 200 }), (weight, count) => {
        for (const value of smoothDebiased(new Array(count).fill(2.5), weight)) expect(value).toBeCloseTo(2.5, 9);
      }),
    );
  });

  it('stays between the lowest and the highest value so far', () => {
    const values = fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 0.99, noNaN: true }), (losses, weight) => {
        for (const [i, value] of smoothDebiased(losses, weight).entries()) {
          const seen = losses.slice(0, i + 1);
          expect(value).toBeGreaterThanOrEqual(Math.min(...seen) - 1e-9);
          expect(value).toBeLessThanOrEqual(Math.max(...seen) + 1e-9);
        }
      }),
    );
  });

  it('gives the raw values at weight 0', () => {
    expect(smoothDebiased([3, 1, 2], 0)).toEqual([3, 1, 2]);
  });

  it('passes over values that are not finite', () => {
    const [first, second, third] = smoothDebiased([Number.NaN, 2, Number.POSITIVE_INFINITY], 0.5);
    expect(first).toBeNaN();
    expect(second).toBe(2);
    expect(third).toBe(2);
  });
});
