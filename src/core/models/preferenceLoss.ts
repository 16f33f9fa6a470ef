/**
 * @file Direct preference optimisation in a training graph: the losses of the labels of pairs of answers -> how much each
 * label's loss counts. With h = beta (log-ratio of chosen - log-ratio of rejected) a pair's loss is
 * -(1 - e) log sigmoid(h) - e log sigmoid(-h), e being the label smoothing (cDPO), and its derivative by a label's loss is
 * beta (sigmoid(-h) - e) for a label of the chosen answer, the negative of that for one of the rejected answer. The
 * loss itself is computed from the labels' losses outside the graph.
 * @see https://arxiv.org/abs/2305.18290, https://ericmitchell.ai/cdpo.pdf
 */
import type { Graph, Value } from '../graph/graph.ts';
import { add, multiply, negate, sigmoid, subtract } from '../graph/operations/elementwise.ts';
import { gatherRows, scatterAddRows } from '../graph/operations/gather.ts';
import type { LossSpec } from './lossSpec.ts';

/** Inputs of a batch of Q pairs beside `batchInputNames`. */
export const preferenceInputNames = {
  /** int32 [N] */
  pairOfLabel: 'pair_of_label',
  /** [N] 1 for labels of chosen answers, -1 for those of rejected ones */
  signs: 'label_signs',
  /** [Q] log-probability of the chosen less that of the rejected answer under the reference */
  referenceMargins: 'reference_margins',
  /** [Q] what the pair's loss is multiplied by */
  pairWeights: 'pair_weights',
} as const;

export interface PreferenceInputs {
  readonly pairOfLabel: Value;
  readonly signs: Value;
  readonly referenceMargins: Value;
  readonly pairWeights: Value;
}

export function addPreferenceInputs(graph: Graph): PreferenceInputs {
  return {
    pairOfLabel: graph.input(preferenceInputNames.pairOfLabel, 'int32', ['N']),
    signs: graph.input(preferenceInputNames.signs, 'float', ['N']),
    referenceMargins: graph.input(preferenceInputNames.referenceMargins, 'float', ['Q']),
    pairWeights: graph.input(preferenceInputNames.pairWeights, 'float', ['Q']),
  };
}

/** Each label's weight: the derivative of the pairs' weighted losses by its loss. losses [N] -> [N] */
export function weighByPreference(
  losses: Value,
  { pairOfLabel, signs, referenceMargins, pairWeights }: PreferenceInputs,
  { beta, labelSmoothing }: Extract<LossSpec, { kind: 'preference' }>,
): Value {
  const { graph } = losses;
  // A log-probability is the negative of a sum of losses.
  const margins = negate(scatterAddRows(multiply(losses, signs), pairOfLabel, 'Q')); // [Q]
  const h = multiply(subtract(margins, referenceMargins), graph.scalar(beta));
  const slopes = multiply(add(sigmoid(negate(h)), graph.scalar(-labelSmoothing)), graph.scalar(beta));
  return multiply(signs, gatherRows(multiply(slopes, pairWeights), pairOfLabel)); // [N]
}
