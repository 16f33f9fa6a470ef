import { describe, expect, it } from 'vitest';
import { makeRopeTables } from '../../../../src/core/nn/rope.ts';
import type { RopeScaling } from '../../../../src/core/nn/ropeScaling.ts';

/** Row 201 of the tables of head size 16 with theta 10,000. */
function rowOf(scaling: RopeScaling) {
  const { cosines, sines, shape } = makeRopeTables({ theta: 10_000, size: 16, scaling }, 202);
  expect(shape).toEqual([202, 8]);
  return { cosines: [...cosines.subarray(201 * 8)], sines: [...sines.subarray(201 * 8)] };
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 6);
}

// The expected rows are those of transformers 5.23's LlamaRotaryEmbedding at position 201.
describe('makeRopeTables', () => {
  it('scales as Llama 3 does, each wavelength by its length', () => {
    const { cosines, sines } = rowOf({
      kind: 'llama3',
      factor: 8,
      lowFrequencyFactor: 1,
      highFrequencyFactor: 4,
      originalContextTokens: 64,
    });
    expectClose(cosines, [0.9980829, 0.4137938, -0.86777, 0.7006257, 0.9686024, 0.9968453, 0.9996844, 0.9999685]);
    expectClose(sines, [-0.0618903, -0.9103706, 0.4969661, 0.713529, 0.2486149, 0.0793687, 0.0251224, 0.0079451]);
  });

  it('divides positions for linear scaling', () => {
    const { cosines } = rowOf({ kind: 'linear', factor: 4 });
    expectClose(cosines, [0.9998801, -0.9833964, 0.3075443, -0.0182472, 0.8763813, 0.9874012, 0.9987378, 0.9998738]);
  });

  it('starts unturned', () => {
    const { cosines, sines } = makeRopeTables({ theta: 500, size: 4, scaling: { kind: 'none' } }, 1);
    expect([...cosines, ...sines]).toEqual([1, 1, 0, 0]);
  });
});
