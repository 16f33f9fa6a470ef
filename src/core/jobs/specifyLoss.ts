/** @file A recipe -> the loss at the end of its training graph. */
import type { Hyperparameters } from '../../shared/hyperparameters.ts';
import { type LossSpec, plainLoss } from '../models/lossSpec.ts';

export function specifyLoss(settings: Hyperparameters): LossSpec {
  if (settings.objective !== 'dpo') return plainLoss;
  return { kind: 'preference', beta: settings.dpoBeta, labelSmoothing: settings.dpoLabelSmoothing };
}
