import { describe, expect, it } from 'vitest';
import { applyCleaning } from '../../../../src/core/search/cleaningChoice.ts';
import { describeBase, parseParameter } from '../../../../src/core/search/searchSpace.ts';
import { cleaningLevels } from '../../../../src/shared/cleaning.ts';
import { defaultHyperparameters as hyperparameters } from '../../../../src/shared/hyperparameters.ts';

const dataset = { path: '/data/rows.jsonl', mapping: null };
const clean = (text: string, cleaning = {}) =>
  applyCleaning([{ ...dataset, ...cleaning }], new Map([['cleaning', text]]));

describe('applyCleaning', () => {
  it('gives the datasets of a trial the steps of its level, its own steps, or none', () => {
    expect(clean('basic')).toEqual([{ ...dataset, cleaning: cleaningLevels.basic }]);
    expect(clean('dropShort:minCharacters=9')).toEqual([
      { ...dataset, cleaning: { steps: [{ step: 'dropShort', minCharacters: 9 }] } },
    ]);
    expect(clean('off', { cleaning: cleaningLevels.strict })).toEqual([dataset]);
  });

  it('leaves datasets alone when the trial says nothing of cleaning', () => {
    const datasets = [{ ...dataset, cleaning: cleaningLevels.strict }];
    expect(applyCleaning(datasets, new Map([['rank', '8']]))).toBe(datasets);
  });
});

describe('describeBase', () => {
  const space = [parseParameter('cleaning', hyperparameters)];

  it('names the level that the datasets are cleaned by anyway', () => {
    const own = { hyperparameters, datasets: [{ ...dataset, cleaning: cleaningLevels.basic }] };
    expect(describeBase(own, space)).toEqual({ cleaning: 'basic' });
    expect(describeBase({ hyperparameters, datasets: [dataset] }, space)).toEqual({ cleaning: 'off' });
    expect(
      describeBase({ hyperparameters, datasets: [{ ...dataset, cleaning: { steps: [] } }, ...own.datasets] }, space),
    ).toBeUndefined();
  });
});
