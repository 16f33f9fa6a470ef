/** @file A recipe -> the loss at the end of its training graph. */
import type { Hyperparameters } from '../../../shared/hyperparameters.ts';
import { type LossSpec, plainLoss } from '../../models/lossSpec.ts';

export function specifyLoss(settings: Hyperparameters, vocabularySize: number): LossSpec {
  switch (settings.objective) {
    case 'sft':
      return plainLoss;
    case 'dpo':
      return { kind: 'preference', beta: settings.dpoBeta, labelSmoothing: settings.dpoLabelSmoothing };
    case 'distill': {
      const topK = Math.min(settings.distillTopK, vocabularySize);
      return { kind: 'distillation', share: settings.distillAlpha, temperature: settings.distillTemperature, topK };
    }
  }
}
