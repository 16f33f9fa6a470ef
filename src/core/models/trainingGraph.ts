/** @file An architecture -> one graph of the whole model: losses, and the gradients of everything that is trained. */

import { computeGradients } from '../graph/gradients.ts';
import { Graph, type Value } from '../graph/graph.ts';
import { reshape } from '../graph/operations/reshape.ts';
import type { OperationName } from '../graph/operationTable.ts';
import { scaleEmbedding } from './architectures/embeddingScale.ts';
import type { Model } from './findArchitecture.ts';
import { gatherTableRows } from './frozenWeights.ts';
import { addTargetSelection, buildLossHead } from './lossHead.ts';
import { type LossSpec, plainLoss } from './lossSpec.ts';

import { isTrained, listTrainable, type TrainableSpec, withoutDropout } from './trainableSpec.ts';
import { type BatchShape, batchInputNames, makeTrainingContext } from './trainingContext.ts';
import { withEvaluationForms } from './weightForm.ts';

export interface TrainingGraph {
  readonly graph: Graph;
  readonly outputs: ReadonlyMap<string, Value>;
}

/** d(loss) / d(embedded tokens), [M, C]: for whoever adds its rows to the embedding's gradient. */
export const embeddedGradientOutput = 'gradient of embedded tokens';

/** Results that cost next to nothing to make again, and as much memory as any to keep: a third of what a layer would. */
const cheapOperations: ReadonlySet<string> = new Set<OperationName>(['rmsNorm', 'gatedActivation']);

export function gradientOutput(parameter: string): string {
  return `gradient of ${parameter}`;
}

/**
 * The graph of one micro-batch. Inputs: `batchInputNames`, the rotary tables, every weight and adapter by its name.
 * Outputs: the losses; unless `purpose` is evaluation, `gradientOutput` of each trainable tensor (of the embedding only
 * what flows through a tied head, nothing without one) and, when the embedding is trained, `embeddedGradientOutput`.
 */
export function buildTrainingGraph(
  model: Model,
  shape: BatchShape,
  trainable: TrainableSpec,
  purpose: 'training' | 'evaluation',
  loss: LossSpec = plainLoss,
): TrainingGraph {
  const graph = new Graph();
  const { architecture, config } = model;
  const computed = purpose === 'evaluation' ? withoutDropout(trainable) : trainable;
  const weighed = purpose === 'evaluation' ? withEvaluationForms(model) : model;
  const context = makeTrainingContext(graph, weighed, shape, computed, true);
  const parameters = architecture.describeParameters(config);
  const tokenIds = graph.input(batchInputNames.tokenIds, 'int32', [shape.batchRows, shape.contextTokens]);
  const selectTargets = addTargetSelection(graph);

  const table = context.table(parameters.embedding);
  const embedded = reshape(gatherTableRows(table, tokenIds), [-1, config.hiddenSize]); // [M, C]
  let hidden = scaleEmbedding(embedded, config);
  for (let layer = 0; layer < config.layers; layer++) {
    const isLast = layer === config.layers - 1;
    hidden = architecture.buildLayer(context, layer, hidden, isLast ? selectTargets : undefined);
  }
  const trainsHead = isTrained(trainable, parameters.head);
  const trainsEmbedding = isTrained(trainable, parameters.embedding);
  const gradients = purpose === 'evaluation' ? 'none' : trainsHead ? 'hidden and weight' : 'hidden';
  const lossHead = buildLossHead(model, context, hidden, shape, gradients, loss);
  const outputs = new Map(lossHead.outputs);
  if (lossHead.target === undefined) return { graph, outputs };

  const weights = [...parameters.layers.flat(), parameters.finalNorm, parameters.head];
  const names = listTrainable(weights, trainable).map(({ name }) => name);
  const values = names.map(name => graph.inputs.get(name)!);
  const wrt = trainsEmbedding ? [...values, embedded] : values;
  const results = computeGradients(lossHead.target, wrt, [embedded], cheapOperations);
  for (const [index, name] of names.entries()) outputs.set(gradientOutput(name), results[index]!);
  if (trainsEmbedding) outputs.set(embeddedGradientOutput, results.at(-1)!);
  return { graph, outputs };
}
