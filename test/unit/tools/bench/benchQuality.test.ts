import { describe, expect, it } from 'vitest';
import { qualityTable, takeEvenly } from '../../../../src/tools/bench/benchQuality.mjs';

describe('takeEvenly', () => {
  it('takes as many rows as wanted from all over the file', () => {
    const rows = Array.from({ length: 1010 }, (_, index) => `${index}`);
    expect(takeEvenly(rows, 5)).toEqual(['0', '202', '404', '606', '808']);
  });

  it('takes all of a short file', () => {
    expect(takeEvenly(['a', 'b'], 5)).toEqual(['a', 'b']);
  });
});

describe('qualityTable', () => {
  it('sets the adapter of 8-bit weights against that of float weights', () => {
    const pair = { seed: 1, baseLossNats: 2.5, floatLossNats: 2, integerLossNats: 2.01, integerOwnLossNats: 2.011 };
    expect(qualityTable([pair]).rows).toEqual([['1', '2.5000', '2.0000', '2.0100', '0.50 %', '2.0110']]);
  });
});
