import { describe, expect, it } from 'vitest';
import { suggestSpace } from '../../../../src/core/search/searchSpace.ts';
import { defaultHyperparameters } from '../../../../src/shared/hyperparameters.ts';
import { findLowest, makeGrid, rangesAround, searchTable } from '../../../../src/tools/bench/searchGrid.mjs';

describe('makeGrid', () => {
  it('spreads as many points over both ranges, ends included, more rates than ranks', () => {
    const grid = makeGrid(rangesAround(2e-4), 12);
    expect(grid).toHaveLength(12);
    expect([...new Set(grid.map(({ learningRate }) => learningRate))]).toEqual([2.5e-5, 1e-4, 4e-4, 1.6e-3]);
    expect([...new Set(grid.map(({ rank }) => rank))]).toEqual([4, 16, 64]);
    expect(makeGrid(rangesAround(2e-4), 2).map(({ rank }) => rank)).toEqual([16, 16]);
  });

  it('has the ranges that a search has by itself', () => {
    const usual = suggestSpace({ ...defaultHyperparameters, learningRate: 1.3e-3 });
    for (const [name, range] of Object.entries(rangesAround(1.3e-3))) {
      expect(usual.find(entry => entry.name === name)?.distribution).toMatchObject({ ...range, log: true });
    }
  });
});

describe('searchTable', () => {
  it('marks the best of each, the first of equals, and passes over what failed', () => {
    const tried = (loss: number | null) => ({ settings: { learningRate: 1e-4, rank: 4 }, heldOutLossNats: loss });
    const [grid, search] = [
      [tried(2), tried(1.5), tried(1.5)],
      [tried(null), tried(1.25)],
    ];
    expect(findLowest(grid)).toEqual({ index: 1, lossNats: 1.5 });
    expect(searchTable(grid, search).rows.map(row => [row[3], row[6]])).toEqual([
      ['2.0000', 'failed'],
      ['1.5000 (best)', '1.2500 (best)'],
      ['1.5000', ''],
    ]);
  });
});
