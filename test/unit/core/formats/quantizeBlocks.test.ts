import { describe, expect, it } from 'vitest';
import { quantizeBlocks } from '../../../../src/core/formats/quantizeBlocks.ts';
import { decodeBlocks, unpackBlocks } from '../../../../src/core/formats/weightBlocks.ts';
import { seededNumbers } from '../graph/seededNumbers.ts';

const count = 32 * 64;
/** Sums of uniform numbers, near enough to how weights are spread. */
const parts = [1, 2, 3, 4].map(seed => seededNumbers(seed * 97, count, -0.02, 0.02));
const weights = Float32Array.from({ length: count }, (_, i) => parts.reduce((sum, part) => sum + part[i]!, 0));

function roundTrip(values: Float32Array, type: 'Q4_0' | 'Q8_0'): Float32Array {
  const decoded = new Float32Array(values.length);
  decodeBlocks(unpackBlocks(type, quantizeBlocks(values, type)), 0, decoded);
  return decoded;
}

const rms = (values: Float32Array): number => Math.hypot(...values) / Math.sqrt(values.length);
const errorOf = (type: 'Q4_0' | 'Q8_0'): number => {
  const decoded = roundTrip(weights, type);
  return rms(weights.map((value, i) => value - decoded[i]!)) / rms(weights);
};

describe('quantizeBlocks', () => {
  it('rounds weights to within what the bits allow', () => {
    expect(errorOf('Q8_0')).toBeLessThan(0.006);
    expect(errorOf('Q4_0')).toBeLessThan(0.085);
  });

  it('rounds better than the largest element alone would', () => {
    const naive = weights.slice();
    for (let from = 0; from < count; from += 32) {
      let largest = 0;
      for (let i = from; i < from + 32; i++) if (Math.abs(weights[i]!) > Math.abs(largest)) largest = weights[i]!;
      const scale = largest / -8;
      for (let i = from; i < from + 32; i++) {
        naive[i] = scale * Math.max(-8, Math.min(7, Math.round(weights[i]! / scale)));
      }
    }
    const naiveError = rms(weights.map((value, i) => value - naive[i]!)) / rms(weights);
    expect(errorOf('Q4_0')).toBeLessThan(0.95 * naiveError);
  });

  it('keeps what it wrote: rounding again changes nothing of Q8_0', () => {
    const once = roundTrip(weights, 'Q8_0');
    const again = roundTrip(once, 'Q8_0');
    expect(Math.max(...again.map((value, i) => Math.abs(value - once[i]!)))).toBeLessThan(1e-4);
  });

  it('keeps zeros', () => {
    for (const type of ['Q4_0', 'Q8_0'] as const)
      expect(roundTrip(new Float32Array(32), type)).toEqual(new Float32Array(32));
  });
});
