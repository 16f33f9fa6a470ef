/** @file The losses of a run that has ended -> what a person should know when training made nothing better. */
import type { RunRecord } from '../../../shared/recipe.ts';
import type { TrainState } from '../../train/trainState.ts';
import type { JobWarning } from '../jobEvents.ts';

export function findNoGain(
  { datasets }: Pick<RunRecord, 'datasets'>,
  { baseEvalLossNats, bestEvalLossNats }: Pick<TrainState, 'baseEvalLossNats' | 'bestEvalLossNats'>,
): JobWarning | undefined {
  if (baseEvalLossNats === null || bestEvalLossNats === null || bestEvalLossNats < baseEvalLossNats) return undefined;
  return {
    file: datasets[0]!.path,
    line: null,
    code: 'no-gain',
    message: `Held-out loss: expected it to fall below the base model's ${baseEvalLossNats.toFixed(4)} nats, got ${bestEvalLossNats.toFixed(4)} at best.`,
    fix: 'Lower learningRate, or train on more rows: as it is, the base model answers better.',
  };
}
