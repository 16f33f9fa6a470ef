import { describe, expect, it } from 'vitest';
import { contains } from '../../../../src/core/search/distributions.ts';
import {
  createTpeSampler,
  type Sampler,
  type SpaceEntry,
  sampleRandomly,
} from '../../../../src/core/search/samplers.ts';
import type { Trial } from '../../../../src/core/search/trial.ts';
import type { Distribution } from '../../../../src/shared/searchRecord.ts';

const space: SpaceEntry[] = [
  { name: 'learningRate', distribution: { kind: 'real', low: 1e-5, high: 1e-1, log: true } },
  { name: 'rank', distribution: { kind: 'integer', low: 4, high: 64, log: true } },
  { name: 'dropout', distribution: { kind: 'real', low: 0, high: 0.5, log: false } },
  { name: 'layers', distribution: { kind: 'choice', choices: ['qv', 'attention', 'all', 'mlp'] } },
];

/** Lowest at a learning rate of 1e-3, rank 24, dropout 0.1 and layers "all". */
function objective(values: ReadonlyMap<string, number>): number {
  const rate = Math.log10(values.get('learningRate')!) + 3;
  const rank = Math.log2(values.get('rank')! / 24);
  const dropout = (values.get('dropout')! - 0.1) / 0.25;
  return rate ** 2 + 0.3 * rank ** 2 + 0.5 * dropout ** 2 + (values.get('layers') === 2 ? 0 : 0.6);
}

const target = 0.25;

function makeTrial(number: number, values: ReadonlyMap<string, number>, changes: Partial<Trial> = {}): Trial {
  const distributionOf = (name: string): Distribution => space.find(entry => entry.name === name)!.distribution;
  return {
    id: number,
    number,
    state: 'complete',
    parameters: new Map(
      [...values].map(([name, internal]) => [name, { internal, distribution: distributionOf(name) }]),
    ),
    value: objective(values),
    intermediate: new Map(),
    userAttributes: new Map(),
    systemAttributes: new Map(),
    startedAt: undefined,
    completedAt: undefined,
    ...changes,
  };
}

/** Trials until one lies in the planted region. */
function countTrials(sample: Sampler, seed: number, limit = 400): number {
  const trials: Trial[] = [];
  for (let number = 0; number < limit; number++) {
    const values = sample({ space, trials, direction: 'minimize', seed, number });
    trials.push(makeTrial(number, values));
    if (objective(values) < target) return number + 1;
  }
  return limit;
}

const seeds = Array.from({ length: 20 }, (_, i) => i + 1);
const mean = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0) / counts.length;
const tpe = (isMultivariate: boolean) => createTpeSampler({ startupTrials: 10, isMultivariate });

describe('createTpeSampler', () => {
  it('finds a planted best region in fewer trials than random search, over 20 seeds', () => {
    const random = mean(seeds.map(seed => countTrials(sampleRandomly, seed)));
    const guided = mean(seeds.map(seed => countTrials(tpe(false), seed)));
    const together = mean(seeds.map(seed => countTrials(tpe(true), seed)));
    expect(guided).toBeLessThan(0.7 * random);
    expect(together).toBeLessThan(0.7 * random);
  });

  it('maximizes as it minimizes', () => {
    const trials: Trial[] = [];
    for (let number = 0; number < 40; number++) {
      const values = tpe(false)({ space, trials, direction: 'maximize', seed: 3, number });
      trials.push(makeTrial(number, values, { value: -objective(values) }));
    }
    expect(Math.max(...trials.map(({ value }) => value!))).toBeGreaterThan(-target);
  });

  it('is a pure function of trials, seed and number, and stays within the ranges', () => {
    const trials: Trial[] = [];
    for (let number = 0; number < 30; number++) {
      const request = { space, trials, direction: 'minimize' as const, seed: 5, number };
      const values = tpe(true)(request);
      expect(tpe(true)(request)).toEqual(values);
      for (const { name, distribution } of space) expect(contains(distribution, values.get(name)!)).toBe(true);
      trials.push(makeTrial(number, values));
    }
  });

  it('learns from pruned trials, and passes over failed ones and those of another space', () => {
    const trials = Array.from({ length: 20 }, (_, number) => {
      const values = sampleRandomly({ space, trials: [], direction: 'minimize', seed: 7, number });
      const state = (['complete', 'pruned', 'failed', 'running'] as const)[number % 4]!;
      return makeTrial(number, values, {
        state,
        value: state === 'complete' ? number : undefined,
        intermediate: new Map([[10, number]]),
      });
    });
    trials.push(makeTrial(20, new Map([['rank', 8]])));
    const values = createTpeSampler({ startupTrials: 4, isMultivariate: true })({
      space,
      trials,
      direction: 'minimize',
      seed: 1,
      number: 21,
    });
    expect([...values.keys()]).toEqual(space.map(({ name }) => name));
  });
});

describe('sampleRandomly', () => {
  it('draws every choice and both ends of a whole-number range about equally often', () => {
    const even: SpaceEntry[] = [
      { name: 'choice', distribution: { kind: 'choice', choices: ['a', 'b'] } },
      { name: 'whole', distribution: { kind: 'integer', low: 1, high: 4, log: false } },
    ];
    const counts = new Map<string, number>();
    for (let number = 0; number < 4000; number++) {
      for (const [name, value] of sampleRandomly({ space: even, trials: [], direction: 'minimize', seed: 1, number })) {
        counts.set(`${name} ${value}`, (counts.get(`${name} ${value}`) ?? 0) + 1);
      }
    }
    for (const value of [0, 1]) expect(counts.get(`choice ${value}`)).toBeGreaterThan(1850);
    for (const value of [1, 2, 3, 4]) expect(counts.get(`whole ${value}`)).toBeGreaterThan(880);
  });
});
