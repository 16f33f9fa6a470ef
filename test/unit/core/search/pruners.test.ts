import { describe, expect, it } from 'vitest';
import { measureImportance } from '../../../../src/core/search/importance.ts';
import { pruneByHalving, pruneByMedian } from '../../../../src/core/search/pruners.ts';
import { type SpaceEntry, sampleRandomly } from '../../../../src/core/search/samplers.ts';
import type { Trial } from '../../../../src/core/search/trial.ts';

function makeTrial(number: number, changes: Partial<Trial> = {}): Trial {
  return {
    id: number,
    number,
    state: 'running',
    parameters: new Map(),
    value: undefined,
    intermediate: new Map(),
    userAttributes: new Map(),
    systemAttributes: new Map(),
    startedAt: undefined,
    completedAt: undefined,
    ...changes,
  };
}

const at = (step: number, value: number) => ({ intermediate: new Map([[step, value]]) });
const atFirstRung = (number: number, value: number) =>
  makeTrial(number, { state: 'complete', systemAttributes: new Map([['completed_rung_0', value]]) });

describe('pruneByHalving', () => {
  it('lets a trial go on until the first rung, and remembers its value there', () => {
    expect(pruneByHalving(makeTrial(0, at(20, 5)), [], 'minimize')).toEqual({ isPruned: false, reached: [] });
    expect(pruneByHalving(makeTrial(0, at(25, 5)), [], 'minimize')).toEqual({
      isPruned: false,
      reached: [{ name: 'completed_rung_0', value: 5 }],
    });
  });

  it('ends the worse half, in either direction', () => {
    const others = [1, 2, 3].map((value, i) => atFirstRung(i, value));
    const judge = (value: number, direction: 'minimize' | 'maximize') =>
      pruneByHalving(makeTrial(9, at(30, value)), others, direction).isPruned;
    expect([0.5, 1.5, 2.5, 4].map(value => judge(value, 'minimize'))).toEqual([false, false, true, true]);
    expect([0.5, 1.5, 2.5, 4].map(value => judge(value, 'maximize'))).toEqual([true, true, false, false]);
  });

  it('takes all rungs that one report passes, and ends what is no number', () => {
    const { reached } = pruneByHalving(makeTrial(0, at(60, 1)), [], 'minimize');
    expect(reached.map(({ name }) => name)).toEqual(['completed_rung_0', 'completed_rung_1']);
    expect(pruneByHalving(makeTrial(0, at(25, Number.NaN)), [], 'minimize').isPruned).toBe(true);
  });
});

describe('pruneByMedian', () => {
  const others = [1, 2, 3, 4].map((value, i) => makeTrial(i, { state: 'complete', ...at(50, value) }));

  it('ends what is worse than the median of the others at the same place', () => {
    expect(pruneByMedian(makeTrial(9, at(50, 2.6)), others, 'minimize').isPruned).toBe(true);
    expect(pruneByMedian(makeTrial(9, at(50, 2.4)), others, 'minimize').isPruned).toBe(false);
    expect(pruneByMedian(makeTrial(9, at(50, 2.4)), others, 'maximize').isPruned).toBe(true);
  });

  it('waits for enough trials, and for a quarter of the run', () => {
    expect(pruneByMedian(makeTrial(9, at(50, 9)), others.slice(1), 'minimize').isPruned).toBe(false);
    expect(pruneByMedian(makeTrial(9, at(20, 9)), others, 'minimize').isPruned).toBe(false);
  });
});

describe('measureImportance', () => {
  const space: SpaceEntry[] = [
    { name: 'matters', distribution: { kind: 'real', low: 0, high: 1, log: false } },
    { name: 'choice', distribution: { kind: 'choice', choices: ['a', 'b', 'c'] } },
    { name: 'idle', distribution: { kind: 'integer', low: 1, high: 64, log: true } },
  ];
  const trials = Array.from({ length: 60 }, (_, number) => {
    const values = sampleRandomly({ space, trials: [], direction: 'minimize', seed: 2, number });
    const parameters = new Map(
      space.map(({ name, distribution }) => [name, { internal: values.get(name)!, distribution }]),
    );
    return makeTrial(number, { state: 'complete', parameters, value: (values.get('matters')! - 0.3) ** 2 });
  });

  it('finds the setting that decided, in shares of 1', () => {
    const importance = measureImportance(space, trials, 'minimize');
    expect(importance[0]!.name).toBe('matters');
    expect(importance[0]!.share).toBeGreaterThan(0.5);
    expect(importance.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
  });

  it('says nothing of too few trials', () => {
    expect(measureImportance(space, trials.slice(0, 3), 'minimize')).toEqual([]);
  });
});
