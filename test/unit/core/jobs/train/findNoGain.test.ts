import { describe, expect, it } from 'vitest';
import { findNoGain } from '../../../../../src/core/jobs/train/findNoGain.ts';

const record = {
  datasets: [{ path: '/data/rows.jsonl', sha256: 'a', snapshot: 'b', mapping: { kind: 'text', fields: {} } }],
} as unknown as Parameters<typeof findNoGain>[0];

describe('findNoGain', () => {
  it('warns with both losses when the best is no better than the base', () => {
    expect(findNoGain(record, { baseEvalLossNats: 2, bestEvalLossNats: 2.5 })).toEqual({
      file: '/data/rows.jsonl',
      line: null,
      code: 'no-gain',
      message: "Held-out loss: expected it to fall below the base model's 2.0000 nats, got 2.5000 at best.",
      fix: expect.stringContaining('learningRate'),
    });
    expect(findNoGain(record, { baseEvalLossNats: 2, bestEvalLossNats: 2 })).toBeDefined();
  });

  it.each([
    [2, 1.9],
    [null, null],
    [2, null],
  ])('says nothing of a base of %s and a best of %s', (baseEvalLossNats, bestEvalLossNats) => {
    expect(findNoGain(record, { baseEvalLossNats, bestEvalLossNats })).toBeUndefined();
  });
});
