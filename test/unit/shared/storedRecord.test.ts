import { describe, expect, it } from 'vitest';
import { defaultHyperparameters } from '../../../src/shared/hyperparameters.ts';
import { isOrchestrating, kindOf, storedRecordSchema, storedRequestSchema } from '../../../src/shared/storedRecord.ts';
import { makeRecord, makeRequest } from '../host/runFixture.ts';

const search = {
  kind: 'search',
  name: 'search',
  base: makeRequest(),
  settings: {
    space: [{ name: 'rank', distribution: { kind: 'integer', low: 4, high: 64, log: true } }],
    budget: { trials: 12, minutes: null, tokens: null },
    sampler: 'tpe',
    pruner: 'halving',
    metric: 'heldOutLoss',
    winner: 'keep',
    parallel: null,
    seed: 1,
  },
  parents: [],
};

describe('storedRequestSchema', () => {
  it('takes a request without a kind for one that trains', () => {
    const request = storedRequestSchema.parse(makeRequest());
    expect(kindOf(request)).toBe('train');
    expect(isOrchestrating(request)).toBe(false);
    expect(kindOf(storedRequestSchema.parse({ ...makeRequest(), kind: 'train' }))).toBe('train');
  });

  it('reads a search, which starts other runs', () => {
    expect(isOrchestrating(storedRequestSchema.parse(search))).toBe(true);
  });

  it('names the field that is wrong, and refuses kinds that nobody knows', () => {
    const wrong = { ...search, settings: { ...search.settings, seed: 'x' } };
    expect(storedRequestSchema.safeParse(wrong).error?.issues[0]?.path).toEqual(['settings', 'seed']);
    expect(storedRequestSchema.safeParse({ ...search, kind: 'baking' }).success).toBe(false);
  });

  it('refuses a search without any budget', () => {
    const endless = { ...search.settings, budget: { trials: null, minutes: null, tokens: null } };
    expect(storedRequestSchema.safeParse({ ...search, settings: endless }).success).toBe(false);
  });
});

describe('storedRecordSchema', () => {
  it('reads the records of runs that trained before there were other kinds', () => {
    const { hyperparameters } = storedRecordSchema.parse(makeRecord('20261124-093000-capitals-1f3a')) as ReturnType<
      typeof makeRecord
    >;
    expect(hyperparameters).toEqual(defaultHyperparameters);
  });
});
