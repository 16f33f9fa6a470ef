import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFloats } from '../../../../src/core/formats/encodeFloats.ts';
import { floatCodecs, getFloat16Values } from '../../../../src/core/formats/tensorCodec.ts';

function roundTrip(values: Float32Array, dtype: 'F32' | 'F16' | 'BF16'): Float32Array {
  const target = new Float32Array(values.length);
  floatCodecs.get(dtype)!.decode(Uint8Array.from(encodeFloats(values, dtype)), target);
  return target;
}

/** The two float16 or bfloat16 values around x, from all that exist. */
function isNearest(x: number, rounded: number, all: Float32Array): boolean {
  const finite = all.filter(value => Number.isFinite(value));
  const largest = finite.reduce((a, b) => Math.max(a, b));
  if (!Number.isFinite(rounded)) return Math.abs(x) > largest;
  const distance = Math.abs(x - rounded);
  return finite.every(value => Math.abs(x - value) >= distance);
}

describe('encodeFloats', () => {
  it('gives each of the 65,536 float16 values back, not-a-number included', () => {
    const all = getFloat16Values();
    const bits = new Uint16Array(encodeFloats(all, 'F16').buffer);
    for (let half = 0; half < 65_536; half++) {
      if (Number.isNaN(all[half]!)) expect(Number.isNaN(all[bits[half]!]!)).toBe(true);
      else if (bits[half] !== half) expect(bits[half]).toBe(half);
    }
  });

  it('gives every bfloat16 value back', () => {
    const all = new Float32Array(new Uint32Array(65_536).map((_, i) => i << 16).buffer);
    const bits = new Uint16Array(encodeFloats(all, 'BF16').buffer);
    for (let i = 0; i < 65_536; i++) if (!Number.isNaN(all[i]!) && bits[i] !== i) expect(bits[i]).toBe(i);
  });

  it('gives float32 back unchanged', () => {
    fc.assert(
      fc.property(fc.float32Array(), values => {
        expect(roundTrip(values, 'F32')).toEqual(values);
      }),
      { seed: 3 },
    );
  });

  it('rounds to the nearest float16', () => {
    const all = getFloat16Values();
    fc.assert(
      fc.property(fc.float({ noNaN: true, min: -70_000, max: 70_000 }), x => {
        const rounded = roundTrip(Float32Array.of(x), 'F16')[0]!;
        expect(isNearest(x, rounded, all)).toBe(true);
      }),
      { seed: 5, numRuns: 60 },
    );
  });

  it('rounds ties to even and overflow to infinity', () => {
    const f16 = roundTrip(Float32Array.of(2049, 2051, 65_519, 65_520, 2 ** -25, 2 ** -25 * 1.5, 3 * 2 ** -25), 'F16');
    expect([...f16]).toEqual([2048, 2052, 65_504, Number.POSITIVE_INFINITY, 0, 2 ** -24, 2 ** -23]);
    const bf16 = roundTrip(Float32Array.of(257, 259, 3.4e38, -0), 'BF16');
    expect([...bf16]).toEqual([256, 260, Number.POSITIVE_INFINITY, -0]);
  });
});
