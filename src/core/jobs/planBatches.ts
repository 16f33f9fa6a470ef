/** @file Token rows and hyperparameters -> the batches of each step and of the evaluation. */
import type { Hyperparameters } from '../../shared/hyperparameters.ts';
import { createBatchOrder, evaluationBatches, planSteps } from '../text/batchOrder.ts';
import type { PackedBatch } from '../text/packedBatch.ts';
import { padBatch } from '../train/padBatch.ts';
import type { StepBatches } from '../train/trainLoop.ts';
import type { EncodedSides } from './encodeSides.ts';

export interface BatchPlan {
  readonly totalSteps: number;
  readonly stepsPerEpoch: number;
  readonly stepBatches: StepBatches;
  readonly heldOut: readonly PackedBatch[];
}

export function planBatches(sides: EncodedSides, settings: Hyperparameters): BatchPlan {
  const batchSettings = { ...settings, padTokenId: sides.tokenizer.padTokenId };
  const order = createBatchOrder(sides.train, batchSettings);
  const { totalSteps, stepsPerEpoch } = planSteps(order.packs.length, settings);
  return {
    totalSteps,
    stepsPerEpoch,
    heldOut: Array.from(evaluationBatches(sides.heldOut, batchSettings), batch => padBatch(batch, batchSettings)),
    stepBatches: step => {
      const { microBatches } = order.locate(step - 1);
      return {
        epoch: step / stepsPerEpoch,
        batches: Array.from({ length: microBatches }, (_, i) => padBatch(order.batch(step - 1, i), batchSettings)),
      };
    },
  };
}
