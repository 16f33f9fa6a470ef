/** @file The end of every training graph: hidden states of all tokens -> the losses of the supervised ones. */
import type { GradientSeed } from '../graph/gradients.ts';
import type { Graph, Value } from '../graph/graph.ts';
import { type CrossEntropy, type CrossEntropyAttributes, crossEntropy } from '../graph/operations/crossEntropy.ts';
import { add, multiply } from '../graph/operations/elementwise.ts';
import { gatherRows } from '../graph/operations/gather.ts';
import { reshape } from '../graph/operations/reshape.ts';
import { topTokens } from '../graph/operations/topTokens.ts';
import type { Model } from './findArchitecture.ts';
import type { LossSpec } from './lossSpec.ts';
import { addPreferenceInputs, weighByPreference } from './preferenceLoss.ts';
import { type BatchShape, batchInputNames, type TrainingContext } from './trainingContext.ts';

/** Logits that may exist at a time. */
const chunkBytes = 64 * 1024 * 1024;

/** Positions whose logits are made at a time, a multiple of 16. */
export function chooseChunkRows(vocabularySize: number, maxRows: number): number {
  const rows = Math.floor(chunkBytes / (4 * vocabularySize) / 16) * 16;
  return Math.min(Math.max(16, rows), maxRows);
}

/** Each label's loss in nats, unweighted, [N]. */
export const lossesOutput = 'losses';

/** Each label's divergence from the teacher, [N]. */
export const divergencesOutput = 'divergences';
/** A teacher's likeliest tokens, int32 [N, K], and their log-probabilities, [N, K]. */
export const topTokenOutputs = { ids: 'top_ids', logProbabilities: 'top_log_probabilities' } as const;

/** What a teacher said of a batch's labels: its likeliest tokens, int32 [N, K], and their log-probabilities, [N, K]. */
export const teacherInputNames = { ids: 'teacher_ids', logProbabilities: 'teacher_log_probabilities' } as const;

/** What drops all but the supervised positions: x [M, C] -> [N, C]. */
export function addTargetSelection(graph: Graph): (x: Value) => Value {
  const targets = graph.input(batchInputNames.targetPositions, 'int32', ['N']);
  return x => gatherRows(x, targets);
}

export interface LossHead {
  /** `lossesOutput`, and what else the loss measures. */
  readonly outputs: ReadonlyMap<string, Value>;
  /** What `computeGradients` starts from; absent without gradients. */
  readonly target?: Value | readonly GradientSeed[];
}

/**
 * The losses of the labels and where their gradients begin.
 * @param hidden the last layer's output at the supervised positions, [N, C]
 */
export function buildLossHead(
  { architecture, config }: Model,
  context: TrainingContext,
  hidden: Value,
  { batchRows, contextTokens }: BatchShape,
  gradients: CrossEntropyAttributes['gradients'],
  loss: LossSpec,
): LossHead {
  const { graph } = hidden;
  const normalized = architecture.buildFinalNorm(context, hidden);
  const head = context.table(architecture.describeParameters(config).head);
  const maxRows = batchRows * contextTokens;
  const chunkRows = chooseChunkRows(config.vocabularySize, maxRows);
  const shared = { maxRows, chunkRows, softcap: config.logitSoftcap };
  if (loss.kind === 'topTokens') {
    const { ids, logProbabilities } = topTokens(normalized, head, { ...shared, ...loss });
    const outputs = [ids, logProbabilities] as const;
    return {
      outputs: new Map([topTokenOutputs.ids, topTokenOutputs.logProbabilities].map((name, i) => [name, outputs[i]!])),
    };
  }
  const labels = graph.input(batchInputNames.labels, 'int32', ['N']);
  const labelWeights = graph.input(batchInputNames.labelWeights, 'float', ['N']);
  if (loss.kind === 'distillation') {
    const teacher = [
      graph.input(teacherInputNames.ids, 'int32', ['N', loss.topK]),
      graph.input(teacherInputNames.logProbabilities, 'float', ['N', loss.topK]),
    ] as const;
    const attributes = { ...shared, gradients, softTargets: loss };
    const { losses, divergences, lossSum } = crossEntropy(normalized, head, labels, labelWeights, attributes, teacher);
    const outputs = new Map([
      [lossesOutput, losses],
      [divergencesOutput, divergences!],
    ]);
    return gradients === 'none' ? { outputs } : { outputs, target: lossSum };
  }
  const run = (weights: Value, wanted: CrossEntropyAttributes['gradients']): CrossEntropy =>
    crossEntropy(normalized, head, labels, weights, { ...shared, gradients: wanted });
  if (gradients === 'none') return { outputs: new Map([[lossesOutput, run(labelWeights, 'none').losses]]) };
  if (loss.kind === 'crossEntropy') {
    const { losses, lossSum } = run(labelWeights, gradients);
    return { outputs: new Map([[lossesOutput, losses]]), target: lossSum };
  }
  const inputs = addPreferenceInputs(graph);
  const weigh = (losses: Value): Value => add(labelWeights, weighByPreference(losses, inputs, loss));
  if (gradients === 'hidden and weight') {
    // The head's own gradient sums over positions: their weights must be known before.
    const { losses } = run(labelWeights, 'none');
    return { outputs: new Map([[lossesOutput, losses]]), target: run(weigh(losses), gradients).lossSum };
  }
  const ones = multiply(inputs.signs, inputs.signs);
  const { losses, hiddenGradient } = run(ones, gradients);
  const column = reshape(weigh(losses), ['N', 1]);
  const target = [{ value: normalized, gradient: multiply(hiddenGradient!, column) }];
  return { outputs: new Map([[lossesOutput, losses]]), target };
}
