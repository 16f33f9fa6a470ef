/** @file A trial of a study: the settings tried, what was measured on the way, and what came of it. */
import type { Distribution } from '../../shared/searchRecord.ts';

/** In the journal's numbering. */
export const trialStates = ['running', 'complete', 'pruned', 'failed', 'waiting'] as const;
export type TrialState = (typeof trialStates)[number];

export interface Parameter {
  /** A number as it is; of a choice, its index. */
  readonly internal: number;
  readonly distribution: Distribution;
}

export interface Trial {
  /** Counts all trials of the journal, over its studies. */
  readonly id: number;
  /** Counts within the study, from 0. */
  readonly number: number;
  readonly state: TrialState;
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly value: number | undefined;
  /** By step, in the order they were reported. */
  readonly intermediate: ReadonlyMap<number, number>;
  readonly userAttributes: ReadonlyMap<string, unknown>;
  readonly systemAttributes: ReadonlyMap<string, unknown>;
  readonly startedAt: string | undefined;
  readonly completedAt: string | undefined;
}

export type Direction = 'minimize' | 'maximize';

export function isFinished({ state }: Pick<Trial, 'state'>): boolean {
  return state === 'complete' || state === 'pruned' || state === 'failed';
}

/** A value for which lower is better in either direction. */
export const signed = (value: number, direction: Direction): number => (direction === 'minimize' ? value : -value);

/** The newest value reported; undefined before the first evaluation. */
export function lastReport({ intermediate }: Trial): { step: number; value: number } | undefined {
  let last: { step: number; value: number } | undefined;
  for (const [step, value] of intermediate) if (last === undefined || step > last.step) last = { step, value };
  return last;
}

/** The complete trial with the best value, the earliest of equals. */
export function findBest(trials: readonly Trial[], direction: Direction): Trial | undefined {
  let best: Trial | undefined;
  for (const trial of trials) {
    if (trial.state !== 'complete' || trial.value === undefined || !Number.isFinite(trial.value)) continue;
    if (best === undefined || signed(trial.value, direction) < signed(best.value!, direction)) best = trial;
  }
  return best;
}
