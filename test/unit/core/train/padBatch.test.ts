import { describe, expect, it } from 'vitest';
import { padBatch } from '../../../../src/core/train/padBatch.ts';
import { batchOf } from '../../../support/bigramEngine.ts';

const two = {
  ...batchOf([5, 6, 7, 8, 9, 10]),
  batchRows: 2,
  contextTokens: 3,
  positions: Int32Array.from([0, 1, 2, 0, 1, 0]),
  segments: Int32Array.from([0, 0, 0, 0, 0, 1]),
  targetPositions: Int32Array.from([0, 1, 3, 4]),
  labels: Int32Array.from([6, 7, 9, 10]),
};

describe('padBatch', () => {
  it('keeps every token and label at its place in its row', () => {
    const padded = padBatch(two, { batchRows: 3, contextTokens: 5, padTokenId: 99 });
    expect([...padded.tokenIds]).toEqual([5, 6, 7, 99, 99, 8, 9, 10, 99, 99, 99, 99, 99, 99, 99]);
    expect([...padded.positions]).toEqual([0, 1, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect([...padded.segments]).toEqual([0, 0, 0, -1, -1, 0, 0, 1, -1, -1, -1, -1, -1, -1, -1]);
    expect([...padded.targetPositions]).toEqual([0, 1, 5, 6]);
    expect([...padded.targetPositions].map(at => padded.tokenIds[at])).toEqual([5, 6, 8, 9]);
    expect(padded).toMatchObject({ batchRows: 3, contextTokens: 5, labels: two.labels, tokens: two.tokens });
  });

  it('hands back a batch that has the shape already', () => {
    expect(padBatch(two, { batchRows: 2, contextTokens: 3, padTokenId: 0 })).toBe(two);
  });
});
