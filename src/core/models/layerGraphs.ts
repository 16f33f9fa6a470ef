/**
 * @file An architecture -> the small graphs of layer-by-layer training: one block forward, one block backward (which
 * computes the block again), and the head. Layers of a kind share them; inputs are named as in the first of the kind.
 */

import { computeGradients } from '../graph/gradients.ts';
import { Graph, type Value } from '../graph/graph.ts';
import type { Model } from './findArchitecture.ts';
import { addTargetSelection, buildLossHead } from './lossHead.ts';
import { type LossSpec, plainLoss } from './lossSpec.ts';

import { isTrained, listTrainable, type TrainableSpec, withoutDropout } from './trainableSpec.ts';
import { type BatchShape, makeTrainingContext } from './trainingContext.ts';
import { gradientOutput, type TrainingGraph } from './trainingGraph.ts';
import { withEvaluationForms } from './weightForm.ts';

export const layerNames = {
  /** Input: what the layer reads, [M, C]. */
  hidden: 'hidden',
  /** Output: what it hands on, [M, C]. */
  output: 'output',
  /** Input: the derivative with respect to the output. */
  outputGradient: 'output gradient',
  /** Output: the derivative with respect to the input. */
  hiddenGradient: 'hidden gradient',
} as const;

function addHidden(graph: Graph, name: string, { config }: Model, shape: BatchShape): Value {
  return graph.input(name, 'float', [shape.batchRows * shape.contextTokens, config.hiddenSize]);
}

/** hidden -> output. */
export function buildLayerForward(
  model: Model,
  shape: BatchShape,
  trainable: TrainableSpec,
  layer: number,
  purpose: 'training' | 'evaluation',
): TrainingGraph {
  const graph = new Graph();
  const computed = purpose === 'evaluation' ? withoutDropout(trainable) : trainable;
  const weighed = purpose === 'evaluation' ? withEvaluationForms(model) : model;
  const context = makeTrainingContext(graph, weighed, shape, computed, false);
  const hidden = addHidden(graph, layerNames.hidden, model, shape);
  return { graph, outputs: new Map([[layerNames.output, model.architecture.buildLayer(context, layer, hidden)]]) };
}

/** hidden, output gradient -> hidden gradient and the `gradientOutput` of each trainable tensor of the layer. */
export function buildLayerBackward(
  model: Model,
  shape: BatchShape,
  trainable: TrainableSpec,
  layer: number,
): TrainingGraph {
  const graph = new Graph();
  const context = makeTrainingContext(graph, model, shape, trainable, false);
  const hidden = addHidden(graph, layerNames.hidden, model, shape);
  const output = model.architecture.buildLayer(context, layer, hidden);
  const gradient = addHidden(graph, layerNames.outputGradient, model, shape);
  const layerParameters = model.architecture.describeParameters(model.config).layers[layer]!;
  const names = listTrainable(layerParameters, trainable).map(({ name }) => name);
  const wrt = names.map(name => graph.inputs.get(name)!);
  const [hiddenGradient, ...gradients] = computeGradients([{ value: output, gradient }], [hidden, ...wrt]);
  const outputs = new Map([[layerNames.hiddenGradient as string, hiddenGradient!]]);
  for (const [index, name] of names.entries()) outputs.set(gradientOutput(name), gradients[index]!);
  return { graph, outputs };
}

/** hidden -> losses; for training also the hidden gradient and, for the full method, those of final norm and head. */
export function buildHeadGraph(
  model: Model,
  shape: BatchShape,
  trainable: TrainableSpec,
  purpose: 'training' | 'evaluation',
  loss: LossSpec = plainLoss,
): TrainingGraph {
  const graph = new Graph();
  const context = makeTrainingContext(graph, model, shape, trainable, false);
  const hidden = addHidden(graph, layerNames.hidden, model, shape);
  const selectTargets = addTargetSelection(graph);
  const { finalNorm, head } = model.architecture.describeParameters(model.config);
  const gradients = purpose === 'evaluation' ? 'none' : isTrained(trainable, head) ? 'hidden and weight' : 'hidden';
  const lossHead = buildLossHead(model, context, selectTargets(hidden), shape, gradients, loss);
  const outputs = new Map(lossHead.outputs);
  if (lossHead.target === undefined) return { graph, outputs };

  const names = listTrainable([finalNorm, head], trainable).map(({ name }) => name);
  const wrt = names.map(name => graph.inputs.get(name)!);
  const [hiddenGradient, ...results] = computeGradients(lossHead.target, [hidden, ...wrt]);
  outputs.set(layerNames.hiddenGradient, hiddenGradient!);
  for (const [index, name] of names.entries()) outputs.set(gradientOutput(name), results[index]!);
  return { graph, outputs };
}
