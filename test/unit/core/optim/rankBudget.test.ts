import { describe, expect, it } from 'vitest';
import { fitBudget, planRanks } from '../../../../src/core/optim/rankBudget.ts';
import { defaultHyperparameters } from '../../../../src/shared/hyperparameters.ts';

const schedule = { targetRank: 2, initialSteps: 2, finalSteps: 3, intervalSteps: 2, totalSteps: 13 };

describe('fitBudget', () => {
  it("falls by the cube of what is left, as PEFT's budget_schedule", () => {
    // 10 adapters of rank 6: RankAllocator.budget_schedule of PEFT 0.21.2 for each step.
    const budgets = Array.from({ length: 13 }, (_, i) => fitBudget(i + 1, 60, 10, schedule));
    const none = undefined;
    expect(budgets).toEqual([none, none, none, 36, none, 25, none, 20, none, 20, none, none, none]);
  });
});

describe('planRanks', () => {
  const settings = { ...defaultHyperparameters, adaLora: true };

  it('leaves a tenth of the run before and a third after', () => {
    expect(planRanks(settings, 60)).toMatchObject({ initialSteps: 6, finalSteps: 20, targetRank: 8, totalSteps: 60 });
  });

  it.each([
    [{ dora: true }, /expected neither dora nor rsLora/],
    [{ rank: 8 }, /adaTargetRank: expected less than the rank 8/],
    [{ adaInitialSteps: 30, adaFinalSteps: 30 }, /expected steps between its 30 initial and 30 final ones, got 60/],
  ])('refuses %j', (changes, message) => {
    expect(() => planRanks({ ...settings, ...changes }, 60)).toThrow(message);
  });
});
