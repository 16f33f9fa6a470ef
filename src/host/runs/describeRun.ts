/** @file A run -> the short facts that tree, status bar and notifications say about it. Words are the caller's. */
import { isActive, isResumable, reachedStep } from '../../shared/runState.ts';
import { estimateRemainingMs, formatTimeLeft } from './remainingTime.ts';
import type { RunReader } from './runReader.ts';

export interface RunFacts {
  /** `120/300`; empty before the number of steps is known. */
  steps: string;
  /** Newest training loss, `1.234`. */
  loss: string;
  /** `3 min`; empty when unknown or over. */
  timeLeft: string;
  /** Lowest held-out loss. */
  bestEvalLoss: string;
}

export function describeRun(run: RunReader): RunFacts {
  const { status, series } = run;
  const loss = series.steps.at(-1)?.lossNats;
  const remainingMs = run.state === 'running' ? estimateRemainingMs(series.steps, status?.totalSteps ?? 0) : null;
  const best = status?.bestEvalLossNats;
  return {
    steps: status === undefined || status.totalSteps === 0 ? '' : `${reachedStep(status, series)}/${status.totalSteps}`,
    loss: loss === undefined ? '' : loss.toFixed(3),
    timeLeft: remainingMs === null ? '' : formatTimeLeft(remainingMs),
    bestEvalLoss: best === undefined || best === null ? '' : best.toFixed(3),
  };
}

/** Words for `when` clauses: what the menus may offer for this run. */
export function contextValueOf(run: RunReader): string {
  const words = ['run', run.state];
  if (isActive(run.state)) words.push('active');
  else words.push('resting');
  if (isActive(run.state) || run.state === 'queued') words.push('stoppable');
  if (isResumable(run.state) || run.state === 'queued') words.push('resumable');
  if (run.output !== undefined) words.push('comparable');
  return words.join(' ');
}
