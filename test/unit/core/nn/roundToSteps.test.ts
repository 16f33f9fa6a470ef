import { describe, expect, it } from 'vitest';
import { roundToSteps } from '../../../../src/core/nn/roundToSteps.ts';
import { seededNumbers } from '../graph/seededNumbers.ts';

describe('roundToSteps', () => {
  it('puts the largest element of each row 127 steps from zero', () => {
    const { steps, scales } = roundToSteps(Float32Array.from([1, -2, 0.5, 0.1, 0, 0.2]), 2);
    expect([...steps]).toEqual([64, -127, 32, 64, 0, 127]);
    expect([...scales]).toEqual([Math.fround(2 / 127), Math.fround(Math.fround(0.2) / 127)]);
  });

  it('is at most half a step off', () => {
    const weight = Float32Array.from(seededNumbers(5, 40 * 96));
    const { steps, scales } = roundToSteps(weight, 40);
    for (const [at, value] of weight.entries()) {
      const scale = scales[Math.floor(at / 96)]!;
      expect(Math.abs(value - steps[at]! * scale)).toBeLessThan(0.5001 * scale);
    }
  });

  it('keeps a row of zeros', () => {
    const { steps, scales } = roundToSteps(new Float32Array(8), 2);
    expect(steps.every(step => step === 0)).toBe(true);
    expect(scales.every(scale => scale > 0)).toBe(true);
  });
});
