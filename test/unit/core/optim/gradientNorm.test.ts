import { describe, expect, it } from 'vitest';
import { clipFactor, computeGradientNorm } from '../../../../src/core/optim/gradientNorm.ts';

const gradients = (...lists: number[][]) => lists.map(list => ({ gradient: Float32Array.from(list) }));

describe('computeGradientNorm', () => {
  it('is the length of all gradients laid end to end', () => {
    expect(computeGradientNorm(gradients([1, 2, 3, 4, 5], [6], []))).toBeCloseTo(Math.sqrt(91), 12);
  });

  it('shows a value that is not finite, wherever it stands', () => {
    for (let i = 0; i < 6; i++) {
      const values = new Array<number>(6).fill(1);
      values[i] = Number.NaN;
      expect(computeGradientNorm(gradients(values))).toBeNaN();
      values[i] = Number.POSITIVE_INFINITY;
      expect(computeGradientNorm(gradients(values))).toBe(Number.POSITIVE_INFINITY);
    }
  });
});

describe('clipFactor', () => {
  it('brings a longer gradient to the limit and leaves a shorter one alone', () => {
    expect(clipFactor(10, 1) * 10).toBeCloseTo(1, 6);
    expect(clipFactor(0.5, 1)).toBe(1);
  });

  it('clips nothing when the limit is 0', () => {
    expect(clipFactor(1e9, 0)).toBe(1);
  });
});
