/** @file The end of every training graph: hidden states of all tokens -> the losses of the supervised ones. */
import type { Graph, Value } from '../graph/graph.ts';
import { type CrossEntropy, type CrossEntropyAttributes, crossEntropy } from '../graph/operations/crossEntropy.ts';
import { gatherRows } from '../graph/operations/gather.ts';
import type { Model } from './findArchitecture.ts';
import { type BatchShape, batchInputNames, type TrainingContext } from './trainingContext.ts';

/** Logits that may exist at a time. */
const chunkBytes = 64 * 1024 * 1024;

/** Positions whose logits are made at a time, a multiple of 16. */
export function chooseChunkRows(vocabularySize: number, maxRows: number): number {
  const rows = Math.floor(chunkBytes / (4 * vocabularySize) / 16) * 16;
  return Math.min(Math.max(16, rows), maxRows);
}

/** What drops all but the supervised positions: x [M, C] -> [N, C]. */
export function addTargetSelection(graph: Graph): (x: Value) => Value {
  const targets = graph.input(batchInputNames.targetPositions, 'int32', ['N']);
  return x => gatherRows(x, targets);
}

/**
 * The losses of the labels.
 * @param hidden the last layer's output at the supervised positions, [N, C]
 */
export function buildLossHead(
  { architecture, config }: Model,
  context: TrainingContext,
  hidden: Value,
  { batchRows, contextTokens }: BatchShape,
  gradients: CrossEntropyAttributes['gradients'],
): CrossEntropy {
  const { graph } = hidden;
  const labels = graph.input(batchInputNames.labels, 'int32', ['N']);
  const labelWeights = graph.input(batchInputNames.labelWeights, 'float', ['N']);
  const normalized = architecture.buildFinalNorm(context, hidden);
  const head = context.table(architecture.describeParameters(config).head);
  const maxRows = batchRows * contextTokens;
  const chunkRows = chooseChunkRows(config.vocabularySize, maxRows);
  return crossEntropy(normalized, head, labels, labelWeights, { maxRows, chunkRows, gradients });
}
