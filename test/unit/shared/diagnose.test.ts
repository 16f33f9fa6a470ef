import { describe, expect, it } from 'vitest';
import { diagnoseCurves, diagnoseEvaluation, diagnoseForgetting } from '../../../src/shared/diagnose.ts';
import type { MetricName } from '../../../src/shared/evaluation.ts';
import type { EvaluationResult } from '../../../src/shared/evaluationFiles.ts';
import type { EvaluationRow, StepRow } from '../../../src/shared/runFolder.ts';

const steps = (losses: readonly number[]): StepRow[] =>
  losses.map((lossNats, i) => ({
    kind: 'step',
    attempt: 1,
    step: i + 1,
    epoch: 0,
    lossNats,
    learningRate: 0,
    gradNorm: 1,
    supervisedTokens: 1,
    tokensPerSecond: 1,
    elapsedMs: 1,
    peakRssBytes: 1,
  }));
const evaluations = (losses: Readonly<Record<number, number>>): EvaluationRow[] =>
  Object.entries(losses).map(([step, evalLossNats]) => ({
    kind: 'evaluation',
    attempt: 1,
    step: Number(step),
    evalLossNats,
    supervisedTokens: 1,
    elapsedMs: 1,
  }));
const falling = Array.from({ length: 40 }, (_, i) => 3 - i / 20);
const codesOf = (losses: readonly number[], held: Readonly<Record<number, number>>) =>
  diagnoseCurves({ steps: steps(losses), evaluations: evaluations(held) }).map(({ code }) => code);

describe('diagnoseCurves', () => {
  it('says nothing of a run that learns, or has just begun', () => {
    expect(codesOf(falling, { 0: 3, 10: 2.5, 20: 2.2, 40: 2.1 })).toEqual([]);
    expect(codesOf([3, 9], {})).toEqual([]);
    expect(codesOf(falling, { 0: 3, 10: 2.5, 40: 2.51 })).toEqual([]);
  });

  it('says since when a run over-fits, and by which losses', () => {
    const [finding] = diagnoseCurves({
      steps: steps(falling),
      evaluations: evaluations({ 0: 3, 10: 2.5, 20: 2.4, 40: 2.9 }),
    });
    expect(finding).toMatchObject({ code: 'over-fitting', message: expect.stringContaining('step 20') });
    expect(finding!.reason).toContain('2.4000 to 2.9000');
  });

  it('says that training made nothing better', () => {
    expect(codesOf(falling, { 0: 2, 10: 2.5, 40: 2.4 })).toEqual(['no-gain']);
  });

  it('says that the loss diverged, whatever was measured before', () => {
    const losses = [...falling.slice(0, 20), ...Array.from({ length: 20 }, (_, i) => 3 + i)];
    expect(codesOf(losses, { 0: 3, 10: 2.5, 20: 2.4 })).toEqual(['divergence']);
  });

  it('looks through a run of very many steps', () => {
    const learns = Array.from({ length: 200_000 }, (_, i) => 3 - i / 200_000);
    expect(codesOf(learns, {})).toEqual([]);
    expect(codesOf([...learns, ...learns.map(loss => loss + 20)], {})).toEqual(['divergence']);
  });
});

describe('diagnoseEvaluation', () => {
  const difference = { first: 'a', second: 'p', low: 0, high: 0, p: 0.001, wins: 1, ties: 0, losses: 0 };
  const judged = (...verdicts: [difference: number, adjustedP: number, name?: MetricName][]): string | undefined => {
    const names = ['tokenF1', 'rougeL', 'chrF', 'bleu'] as const;
    const result: Pick<EvaluationResult, 'candidates' | 'metrics'> = {
      candidates: [
        { id: 'p', kind: 'prompted', label: 'prompt', detail: null },
        { id: 'a', kind: 'adapter', label: 'tuned', detail: null },
      ],
      metrics: verdicts.map(([value, adjustedP, name], i) => ({
        name: name ?? names[i]!,
        values: [],
        note: null,
        differences: [{ ...difference, difference: value, adjustedP }],
      })),
    };
    return diagnoseEvaluation(result)[0]?.code;
  };

  it('calls an adapter better only where it is surely so on something and worse on nothing', () => {
    expect(judged([0.1, 0.001], [0.1, 0.3])).toBe('better');
    expect(judged([-0.1, 0.001], [0.1, 0.3])).toBe('worse');
    expect(judged([-0.1, 0.001], [0.1, 0.01])).toBe('mixed');
    expect(judged([0.1, 0.2])).toBe('mixed');
    expect(judged()).toBeUndefined();
  });

  it('is not sure by one of several measures that chance explains, nor by the loss', () => {
    expect(judged([0.1, 0.02])).toBe('better');
    expect(judged([0.1, 0.02], [0.1, 0.3], [0.1, 0.3], [0.1, 0.3])).toBe('mixed');
    expect(judged([-0.1, 0.001, 'loss'], [0.1, 0.3])).toBe('mixed');
    expect(judged([-0.1, 0.001, 'loss'])).toBeUndefined();
  });
});

describe('diagnoseForgetting', () => {
  it('names the sets whose loss rose after later stages', () => {
    const row = (stage: string, ...cells: ({ lossNats: number; changeNats: number | null } | null)[]) => ({
      stage,
      cells,
    });
    const rows = [
      row('one', { lossNats: 2, changeNats: null }, null),
      row('two', { lossNats: 2.4, changeNats: 0.4 }, { lossNats: 1, changeNats: null }),
    ];
    expect(diagnoseForgetting({ sets: ['one', 'two'], rows }).map(({ message }) => message)).toEqual([
      'The rows of stage "one" are forgotten in part after stage "two".',
    ]);
  });
});
