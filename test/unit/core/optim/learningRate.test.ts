import { describe, expect, it } from 'vitest';
import { countWarmupSteps, learningRateAt } from '../../../../src/core/optim/learningRate.ts';

const plan = (schedule: 'cosine' | 'linear' | 'constant') => ({
  learningRate: 1,
  schedule,
  warmupSteps: 2,
  totalSteps: 10,
});
const rates = (schedule: 'cosine' | 'linear' | 'constant') =>
  Array.from({ length: 10 }, (_, i) => learningRateAt(i + 1, plan(schedule)));

describe('learningRateAt', () => {
  it('rises in equal steps and never starts at zero', () => {
    expect(rates('constant')).toEqual([1 / 3, 2 / 3, 1, 1, 1, 1, 1, 1, 1, 1]);
  });

  it('falls along the cosine that transformers computes', () => {
    const expected = [1, 0.9619397663, 0.8535533906, 0.6913417162, 0.5, 0.3086582838, 0.1464466094, 0.0380602337];
    for (const [i, rate] of rates('cosine').slice(2).entries()) expect(rate).toBeCloseTo(expected[i]!, 9);
  });

  it('falls along the line that transformers computes', () => {
    expect(rates('linear').slice(2)).toEqual([1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125]);
  });

  it('is the full rate at every step without warmup and decay', () => {
    expect(learningRateAt(1, { learningRate: 0.3, schedule: 'constant', warmupSteps: 0, totalSteps: 1 })).toBe(0.3);
  });
});

describe('countWarmupSteps', () => {
  it('rounds the share of the run and never exceeds it', () => {
    expect(countWarmupSteps(0.05, 100)).toBe(5);
    expect(countWarmupSteps(0.05, 3)).toBe(0);
    expect(countWarmupSteps(1, 7)).toBe(7);
  });
});
