/** @file An architecture -> the graph of its first layers: packed tokens in, what the last of these layers hands on out. */
import { Graph } from '../graph/graph.ts';
import { reshape } from '../graph/operations/reshape.ts';
import { scaleEmbedding } from './architectures/embeddingScale.ts';
import type { Model } from './findArchitecture.ts';
import { gatherTableRows } from './frozenWeights.ts';
import type { TrainableSpec } from './trainableSpec.ts';
import { type BatchShape, batchInputNames, makeTrainingContext } from './trainingContext.ts';
import type { TrainingGraph } from './trainingGraph.ts';

/** [M, C] */
export const hiddenStatesOutput = 'hidden_states';

const untrained: TrainableSpec = { method: 'lora', rank: 0, scale: 1, mergesWeights: false, targets: new Set() };

/**
 * Inputs: tokens, positions and segments of a batch, the rotary tables, the weights of the embedding and of these layers.
 * @param layers how many, from the first: fewer cost less
 */
export function buildHiddenStatesGraph(model: Model, shape: BatchShape, layers: number): TrainingGraph {
  const graph = new Graph();
  const { architecture, config } = model;
  const context = makeTrainingContext(graph, model, shape, untrained, true);
  const tokenIds = graph.input(batchInputNames.tokenIds, 'int32', [shape.batchRows, shape.contextTokens]);
  const table = context.table(architecture.describeParameters(config).embedding);
  const embedded = reshape(gatherTableRows(table, tokenIds), [-1, config.hiddenSize]); // [M, C]
  let hidden = scaleEmbedding(embedded, config);
  for (let layer = 0; layer < layers; layer++) hidden = architecture.buildLayer(context, layer, hidden);
  const isWhole = layers === config.layers;
  const output = isWhole ? architecture.buildFinalNorm(context, hidden) : hidden;
  return { graph, outputs: new Map([[hiddenStatesOutput, output]]) };
}
