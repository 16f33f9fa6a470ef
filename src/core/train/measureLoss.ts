/** @file What a graph measured of a batch -> the batch's loss under an objective, summed in float64. */
import { divergencesOutput, lossesOutput } from '../models/lossHead.ts';
import type { LossSpec } from '../models/lossSpec.ts';
import { floatData, type RuntimeTensor } from '../runtime/tensor.ts';
import type { PackedBatch } from '../text/packedBatch.ts';
import { sumLosses } from './batchFeeds.ts';
import type { BatchLoss } from './trainingEngine.ts';

/** The outputs that `measureLoss` reads, to be fetched where a run names its outputs. */
export function fetchLosses({ kind }: LossSpec): Record<string, null> {
  return { [lossesOutput]: null, ...(kind === 'distillation' ? { [divergencesOutput]: null } : {}) };
}

/** @param results the graph's outputs by name */
export function measureLoss(
  results: Readonly<Record<string, RuntimeTensor>>,
  batch: PackedBatch,
  loss: LossSpec,
): BatchLoss {
  const losses = results[lossesOutput]!;
  switch (loss.kind) {
    case 'preference':
      return sumPreferences(floatData(losses), batch, loss);
    case 'distillation':
      return sumDistillation(sumLosses(losses, batch), sumLosses(results[divergencesOutput]!, batch), loss);
    case 'crossEntropy':
      return sumLosses(losses, batch);
    case 'topTokens':
      throw new Error('internal: topTokens: expected a loss, got none');
  }
}

function sumDistillation(
  { lossNatsSum: crossEntropyNats, weightSum }: BatchLoss,
  { lossNatsSum: divergenceNats }: BatchLoss,
  { share, temperature }: Extract<LossSpec, { kind: 'distillation' }>,
): BatchLoss {
  const lossNatsSum = (1 - share) * crossEntropyNats + share * temperature ** 2 * divergenceNats;
  return { lossNatsSum, weightSum, measures: { crossEntropyNats, divergenceNats } };
}

/** Each pair's loss, see preferenceLoss.ts, with what the labels' own weights add. */
function sumPreferences(
  losses: Float32Array,
  { preference, labelWeights }: PackedBatch,
  { beta, labelSmoothing }: Extract<LossSpec, { kind: 'preference' }>,
): BatchLoss {
  if (!preference) throw new Error('internal: preference loss: expected a batch of pairs, got one without');
  const { pairOfLabel, signs, reference } = preference;
  const pairs = reference.length / 2;
  const pairLogProbabilities = new Float64Array(2 * pairs);
  let lossNatsSum = 0;
  for (const [n, loss] of losses.entries()) {
    pairLogProbabilities[2 * pairOfLabel[n]! + (signs[n]! > 0 ? 0 : 1)]! -= loss;
    lossNatsSum += labelWeights[n]! * loss;
  }
  const measures = { rewardChosen: 0, rewardRejected: 0, rewardAccuracy: 0, rewardMargin: 0 };
  for (let q = 0; q < pairs; q++) {
    const chosen = beta * (pairLogProbabilities[2 * q]! - reference[2 * q]!);
    const rejected = beta * (pairLogProbabilities[2 * q + 1]! - reference[2 * q + 1]!);
    const margin = chosen - rejected;
    lossNatsSum += (1 - labelSmoothing) * softplus(-margin) + labelSmoothing * softplus(margin);
    measures.rewardChosen += chosen;
    measures.rewardRejected += rejected;
    measures.rewardAccuracy += chosen > rejected ? 1 : 0;
    measures.rewardMargin += margin;
  }
  return { lossNatsSum, weightSum: pairs, measures, pairLogProbabilities };
}

/** log(1 + exp(x)), which is -log sigmoid(-x). */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}
