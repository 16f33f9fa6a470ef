import { describe, expect, it } from 'vitest';
import type { EvaluationRow, StepRow } from '../../../src/shared/runFolder.ts';
import { isResumable, parseMetrics, reachedStep, shownState } from '../../../src/shared/runState.ts';

const step = (attempt: number, number: number): StepRow => ({
  kind: 'step',
  attempt,
  step: number,
  epoch: 0.5,
  lossNats: 2,
  learningRate: 1e-4,
  gradNorm: 1,
  supervisedTokens: 10,
  tokensPerSecond: 100,
  elapsedMs: 5,
  peakRssBytes: 1,
});
const evaluation = (attempt: number, number: number): EvaluationRow => ({
  kind: 'evaluation',
  attempt,
  step: number,
  evalLossNats: 2,
  supervisedTokens: 10,
  elapsedMs: 5,
});
const write = (...rows: object[]): string => rows.map(row => `${JSON.stringify(row)}\n`).join('');

describe('parseMetrics', () => {
  it('keeps rows in order, steps and evaluations apart', () => {
    const series = parseMetrics(write(evaluation(1, 0), step(1, 1), step(1, 2), evaluation(1, 2)));
    expect(series.steps.map(row => row.step)).toEqual([1, 2]);
    expect(series.evaluations.map(row => row.step)).toEqual([0, 2]);
  });

  it('drops rows that a later attempt makes again, and keeps those before its first', () => {
    const text = write(step(1, 1), step(1, 2), evaluation(1, 2), step(1, 3), step(2, 2), step(2, 3), evaluation(2, 3));
    const series = parseMetrics(text);
    expect(series.steps.map(row => [row.attempt, row.step])).toEqual([
      [1, 1],
      [2, 2],
      [2, 3],
    ]);
    expect(series.evaluations.map(row => [row.attempt, row.step])).toEqual([[2, 3]]);
  });

  it('drops a torn last line, foreign rows and empty lines', () => {
    const text = `${write(step(1, 1))}\n{"kind":"other"}\nnot json\n${JSON.stringify(step(1, 2)).slice(0, 40)}`;
    expect(parseMetrics(text).steps.map(row => row.step)).toEqual([1]);
  });
});

describe('shownState', () => {
  it('calls a run interrupted whose process is gone', () => {
    expect(shownState({ state: 'running' }, false)).toBe('interrupted');
    expect(shownState({ state: 'running' }, true)).toBe('running');
  });

  it('leaves states that need no process as they are', () => {
    for (const state of ['queued', 'paused', 'finished', 'stopped', 'failed'] as const) {
      expect(shownState({ state }, false)).toBe(state);
    }
  });
});

describe('isResumable', () => {
  it('holds for runs that ended before their time', () => {
    expect((['interrupted', 'paused', 'failed', 'stopped'] as const).every(isResumable)).toBe(true);
    expect((['finished', 'running', 'queued'] as const).some(isResumable)).toBe(false);
  });
});

describe('reachedStep', () => {
  it('is the newer of status and metrics', () => {
    expect(reachedStep({ step: 3 }, { steps: [step(1, 1), step(1, 7)] })).toBe(7);
    expect(reachedStep({ step: 3 }, { steps: [] })).toBe(3);
  });
});
