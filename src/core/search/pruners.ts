/**
 * @file A trial's values so far beside those of others -> whether it is worth going on. `halving` is asynchronous successive
 * halving (Li et al. 2020): at 25, 50 and 100 % of a run only the better half of those that came so far goes on; `median`
 * ends what is worse than the median of the others at the same place. What halving remembers stands in the journal under
 * the names that Optuna's SuccessiveHalvingPruner uses, so that either goes on with the other's study.
 */
import { type Direction, lastReport, signed, type Trial } from './trial.ts';

export interface PruneVerdict {
  readonly isPruned: boolean;
  /** To be kept with the trial: rungs reached and the value there. */
  readonly reached: readonly { readonly name: string; readonly value: number }[];
}

export type Pruner = (trial: Trial, trials: readonly Trial[], direction: Direction) => PruneVerdict;

export const halving = { firstStep: 25, reduction: 2 } as const;
export const median = { startupTrials: 4, warmupSteps: 25 } as const;

export const pruneNever: Pruner = () => ({ isPruned: false, reached: [] });

export const pruneByHalving: Pruner = (trial, trials, direction) => {
  const report = lastReport(trial);
  const reached: { name: string; value: number }[] = [];
  if (report === undefined) return { isPruned: false, reached };
  let rung = 0;
  while (trial.systemAttributes.has(rungName(rung))) rung++;
  for (; report.step >= halving.firstStep * halving.reduction ** rung; rung++) {
    if (Number.isNaN(report.value)) return { isPruned: true, reached };
    const name = rungName(rung);
    reached.push({ name, value: report.value });
    const competing = trials
      .filter(other => other.id !== trial.id)
      .flatMap(other => toNumber(other.systemAttributes.get(name)))
      .concat(report.value)
      .map(value => signed(value, direction))
      .sort((a, b) => a - b);
    // The first ones go on only where they are the best so far: nobody waits for the others.
    const last = Math.max(0, Math.floor(competing.length / halving.reduction) - 1);
    if (signed(report.value, direction) > competing[last]!) return { isPruned: true, reached };
  }
  return { isPruned: false, reached };
};

export const pruneByMedian: Pruner = (trial, trials, direction) => {
  const report = lastReport(trial);
  const keep = { isPruned: false, reached: [] };
  const complete = trials.filter(({ state }) => state === 'complete');
  if (report === undefined || report.step < median.warmupSteps || complete.length < median.startupTrials) return keep;
  if (Number.isNaN(report.value)) return { isPruned: true, reached: [] };
  const best = Math.min(...[...trial.intermediate.values()].map(value => signed(value, direction)));
  const others = complete
    .flatMap(({ intermediate }) => toNumber(intermediate.get(report.step)))
    .filter(value => !Number.isNaN(value))
    .map(value => signed(value, direction))
    .sort((a, b) => a - b);
  if (others.length === 0) return keep;
  const middle = (others.length - 1) / 2;
  const medianValue = (others[Math.floor(middle)]! + others[Math.ceil(middle)]!) / 2;
  return { isPruned: best > medianValue, reached: [] };
};

const rungName = (rung: number): string => `completed_rung_${rung}`;
const toNumber = (value: unknown): number[] => (typeof value === 'number' ? [value] : []);
