/** @file AdaLoRA's budget: how many ranks all adapters together may have after a step, and when they are given anew. */
import { TuneError } from '../../shared/errors.ts';
import type { Hyperparameters } from '../../shared/hyperparameters.ts';

export interface RankSchedule {
  /** The mean rank in the end. */
  readonly targetRank: number;
  /** Steps before the budget falls. */
  readonly initialSteps: number;
  /** Steps at the end in which ranks stay as they are. */
  readonly finalSteps: number;
  /** Steps between two allocations. */
  readonly intervalSteps: number;
  readonly totalSteps: number;
}

/** A tenth of the run before and a third after, unless told otherwise. @throws TuneError `usage` */
export function planRanks(settings: Hyperparameters, totalSteps: number): RankSchedule {
  const { rank, adaTargetRank, adaInitialSteps, adaFinalSteps, adaIntervalSteps, dora, rsLora } = settings;
  if (dora || rsLora) {
    throw new TuneError(
      'usage',
      `adaLora: expected neither dora nor rsLora beside it, got ${dora ? 'dora' : 'rsLora'}`,
    );
  }
  if (adaTargetRank >= rank) {
    throw new TuneError(
      'usage',
      `adaTargetRank: expected less than the rank ${rank} that it falls from, got ${adaTargetRank}`,
    );
  }
  const initialSteps = adaInitialSteps ?? Math.floor(totalSteps / 10);
  const finalSteps = adaFinalSteps ?? Math.floor(totalSteps / 3);
  if (initialSteps >= totalSteps - finalSteps) {
    throw new TuneError(
      'usage',
      `adaLora: expected steps between its ${initialSteps} initial and ${finalSteps} final ones, got ${totalSteps} in all`,
      { hint: 'Lower adaInitialSteps or adaFinalSteps, or train for more steps.' },
    );
  }
  return { targetRank: adaTargetRank, initialSteps, finalSteps, intervalSteps: adaIntervalSteps, totalSteps };
}

/** The ranks that may stay after `step`, from 1; undefined where nothing is given anew. */
export function fitBudget(step: number, ranks: number, adapters: number, schedule: RankSchedule): number | undefined {
  const { targetRank, initialSteps, finalSteps, intervalSteps, totalSteps } = schedule;
  const target = targetRank * adapters;
  const lastAllocation = totalSteps - finalSteps;
  if (step === lastAllocation) return target;
  if (step <= initialSteps || step > lastAllocation || step % intervalSteps !== 0) return undefined;
  const left = 1 - (step - initialSteps) / (lastAllocation - initialSteps);
  return Math.trunc((ranks - target) * left ** 3 + target);
}
