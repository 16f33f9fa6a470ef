/** @file A packed batch -> graph inputs, and a graph's losses -> the batch's loss. */
import { teacherInputNames } from '../models/lossHead.ts';
import { preferenceInputNames } from '../models/preferenceLoss.ts';
import { type BatchShape, batchInputNames } from '../models/trainingContext.ts';
import { floatData, makeTensor, type RuntimeTensor } from '../runtime/tensor.ts';
import type { PackedBatch, PreferenceLabels, TeacherTokens } from '../text/packedBatch.ts';
import type { BatchLoss } from './trainingEngine.ts';

/** The batch's tensors; label weights are multiplied by `tokenWeight`, and the gradients with them. */
export function makeBatchFeeds(
  batch: PackedBatch,
  shape: BatchShape,
  tokenWeight: number,
): Record<string, RuntimeTensor> {
  const { batchRows, contextTokens } = shape;
  if (batch.batchRows !== batchRows || batch.contextTokens !== contextTokens) {
    throw new Error(
      `internal: batch: expected ${batchRows} x ${contextTokens} tokens, got ${batch.batchRows} x ${batch.contextTokens}`,
    );
  }
  const grid = (data: Int32Array): RuntimeTensor => makeTensor('int32', data, [batchRows, contextTokens]);
  const labelCount = batch.labels.length;
  const weights = batch.labelWeights.map(weight => weight * tokenWeight);
  return {
    [batchInputNames.tokenIds]: grid(batch.tokenIds),
    [batchInputNames.positions]: grid(batch.positions),
    [batchInputNames.segments]: grid(batch.segments),
    [batchInputNames.targetPositions]: makeTensor('int32', batch.targetPositions, [labelCount]),
    [batchInputNames.labels]: makeTensor('int32', batch.labels, [labelCount]),
    [batchInputNames.labelWeights]: makeTensor('float32', weights, [labelCount]),
    ...(batch.preference ? makePreferenceFeeds(batch.preference, tokenWeight) : {}),
    ...(batch.teacher ? makeTeacherFeeds(batch.teacher) : {}),
  };
}

function makeTeacherFeeds({ topK, ids, logProbabilities }: TeacherTokens): Record<string, RuntimeTensor> {
  const dims = [ids.length / topK, topK] as const;
  return {
    [teacherInputNames.ids]: makeTensor('int32', ids, dims),
    [teacherInputNames.logProbabilities]: makeTensor('float32', logProbabilities, dims),
  };
}

function makePreferenceFeeds(
  { pairOfLabel, signs, reference }: PreferenceLabels,
  pairWeight: number,
): Record<string, RuntimeTensor> {
  const pairs = reference.length / 2;
  const margins = Float32Array.from({ length: pairs }, (_, q) => reference[2 * q]! - reference[2 * q + 1]!);
  return {
    [preferenceInputNames.pairOfLabel]: makeTensor('int32', pairOfLabel, [pairOfLabel.length]),
    [preferenceInputNames.signs]: makeTensor('float32', signs, [signs.length]),
    [preferenceInputNames.referenceMargins]: makeTensor('float32', margins, [pairs]),
    [preferenceInputNames.pairWeights]: makeTensor('float32', new Float32Array(pairs).fill(pairWeight), [pairs]),
  };
}

export const emptyLoss: BatchLoss = { lossNatsSum: 0, weightSum: 0 };

/** Sums each label's loss in float64. */
export function sumLosses(losses: RuntimeTensor, { labelWeights }: PackedBatch): BatchLoss {
  let lossNatsSum = 0;
  let weightSum = 0;
  for (const [index, loss] of floatData(losses).entries()) {
    lossNatsSum += loss * labelWeights[index]!;
    weightSum += labelWeights[index]!;
  }
  return { lossNatsSum, weightSum };
}
