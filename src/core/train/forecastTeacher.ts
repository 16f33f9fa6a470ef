/** @file A teacher and the shape of a run -> the memory that its forward passes need, with weights in float32. */
import type { Model } from '../models/findArchitecture.ts';
import { chooseChunkRows } from '../models/lossHead.ts';
import type { BatchShape } from '../models/trainingContext.ts';
import { countElements } from './engineTensors.ts';

const floatBytes = 4;
/** Node, ONNX Runtime and the compiled graph. */
const runtimeBytes = 200 * 2 ** 20;
/** Logits, the scaled ones, and what is made of them on the way to their sums. */
const logitCopies = 4;

export function forecastTeacher(model: Model, { batchRows, contextTokens }: BatchShape): number {
  const { config } = model;
  const { embedding, layers, finalNorm, head } = model.architecture.describeParameters(config);
  const weights = [...new Set([embedding, ...layers.flat(), finalNorm, head])];
  const weightElements = weights.reduce((total, { shape }) => total + countElements(shape), 0);
  const tokens = batchRows * contextTokens;
  const logits = logitCopies * chooseChunkRows(config.vocabularySize, tokens) * config.vocabularySize;
  // Nothing is kept: one layer's widest tensors, and two hidden states beside them.
  const scores = 3 * config.heads * Math.min(contextTokens, Math.max(128, contextTokens / 8));
  const busy = tokens * (3 * config.feedForwardSize + 4 * config.hiddenSize + scores);
  return floatBytes * (weightElements + logits + busy) + runtimeBytes;
}
