/** @file Token rows and hyperparameters -> the batches of each step and of the evaluation. */
import type { Hyperparameters } from '../../../shared/hyperparameters.ts';
import { createBatchOrder, evaluationBatches, evaluationPacks, planSteps } from '../../text/batchOrder.ts';
import type { PackedBatch } from '../../text/packedBatch.ts';
import type { Pack } from '../../text/packRows.ts';
import { countBatchRows, createPairOrder, pairEvaluationBatches, pairEvaluationPacks } from '../../text/pairBatches.ts';
import type { PackedBatches } from '../../train/evaluateHeldOut.ts';
import { padBatch } from '../../train/padBatch.ts';
import type { StepBatches } from '../../train/trainLoop.ts';
import type { EncodedSides } from './encodeSides.ts';

export interface BatchPlan {
  readonly totalSteps: number;
  readonly stepsPerEpoch: number;
  readonly stepBatches: StepBatches;
  readonly heldOut: PackedBatches;
  /** The same as rows (or pairs), for an engine that builds its batches itself: the packs of each micro-batch of a step, from 1. */
  readonly stepPacks: (step: number) => Pack[][];
  readonly heldOutPacks: () => Iterable<Pack[]>;
}

/** Processes that each take micro-batches of a step. */
export function countProcesses({
  launcher,
  processes,
  hosts,
}: Pick<Hyperparameters, 'launcher' | 'processes' | 'hosts'>): number {
  return launcher === 'python' ? 1 : processes * hosts;
}

export function planBatches(sides: EncodedSides, hyperparameters: Hyperparameters): BatchPlan {
  const { padTokenId } = sides.tokenizer;
  // Each process accumulates as many micro-batches as the recipe says.
  const gradientAccumulation = hyperparameters.gradientAccumulation * countProcesses(hyperparameters);
  const settings = { ...hyperparameters, gradientAccumulation };
  const batchSettings = { ...settings, padTokenId };
  const isPaired = settings.objective === 'dpo';
  const order = (isPaired ? createPairOrder : createBatchOrder)(sides.train, batchSettings);
  const evaluation = (isPaired ? pairEvaluationBatches : evaluationBatches)(sides.heldOut, batchSettings);
  const shape = { contextTokens: settings.contextTokens, batchRows: countBatchRows(settings), padTokenId };
  const { totalSteps, stepsPerEpoch } = planSteps(order.packs.length, settings);
  return {
    totalSteps,
    stepsPerEpoch,
    heldOut: Array.from(evaluation, batch => padBatch(batch, shape)),
    stepBatches: step => {
      const { microBatches } = order.locate(step - 1);
      return {
        epoch: step / stepsPerEpoch,
        batches: Array.from({ length: microBatches }, (_, i) => padBatch(order.batch(step - 1, i), shape)),
      };
    },
    stepPacks: step => {
      const { microBatches } = order.locate(step - 1);
      return Array.from({ length: microBatches }, (_, i) => order.packsOf(step - 1, i));
    },
    heldOutPacks: () => (isPaired ? pairEvaluationPacks : evaluationPacks)(sides.heldOut, settings),
  };
}

/** Every batch that the run ever meets, or one with the same rows, once: an epoch's, as far as the run gets, and the held-out ones. */
export function* listFirstBatches({
  totalSteps,
  stepsPerEpoch,
  stepBatches,
  heldOut,
}: BatchPlan): Generator<PackedBatch> {
  for (let step = 1; step <= Math.min(totalSteps, stepsPerEpoch); step++) yield* stepBatches(step).batches;
  yield* heldOut;
}

/** The same batches with what an objective adds to them, when they are asked for. */
export function completeBatches(plan: BatchPlan, complete: (batch: PackedBatch) => PackedBatch): BatchPlan {
  const { heldOut, stepBatches } = plan;
  return {
    ...plan,
    heldOut: {
      length: heldOut.length,
      *[Symbol.iterator]() {
        for (const batch of heldOut) yield complete(batch);
      },
    },
    stepBatches: step => {
      const { epoch, batches } = stepBatches(step);
      return { epoch, batches: batches.map(complete) };
    },
  };
}
