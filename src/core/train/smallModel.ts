/** @file A run's model and loss -> a model of two layers and a few thousand random weights computed alike, and a batch. */

import type { TensorSource } from '../formats/tensorSource.ts';
import type { ModelConfig, ParameterInfo } from '../models/architecture.ts';
import type { Model } from '../models/findArchitecture.ts';
import type { LossSpec } from '../models/lossSpec.ts';
import type { PackedBatch } from '../text/packedBatch.ts';
import { createGenerator } from '../text/seededOrder.ts';
import { countElements } from './engineTensors.ts';

const seed = 20_261_124;
const vocabularySize = 61;
export const smallBatchShape = { batchRows: 2, contextTokens: 12 } as const;
/** Of the segments of each row; the second row ends in padding. */
const segmentTokens = [[5, 7], [9]] as const;
/** Shorter than the segments, so that it bends something. */
const windowTokens = 4;

/** The same architecture with the same options, but small. Layers that attend differently are there once each. */
export function shrinkModel({ architecture, config }: Model): Model {
  const kinds = new Map(config.layerAttention.map(attention => [JSON.stringify(attention), attention]));
  const [first, second] = [...kinds.values()];
  const layerAttention = [first!, second ?? first!].map(attention =>
    attention.windowTokens === undefined ? attention : { ...attention, windowTokens },
  );
  const isGrouped = config.keyValueHeads < config.heads;
  const small: ModelConfig = {
    ...config,
    vocabularySize,
    hiddenSize: 64,
    feedForwardSize: 64,
    layers: layerAttention.length,
    layerAttention,
    heads: 2,
    keyValueHeads: isGrouped ? 1 : 2,
  };
  return { architecture, config: small };
}

/** Random weights in memory, norms near 1. */
export function makeRandomWeights({ architecture, config }: Model): TensorSource {
  const { embedding, layers, finalNorm, head } = architecture.describeParameters(config);
  const tensors = new Map(
    [...new Set([embedding, ...layers.flat(), finalNorm, head])].map((parameter, index) => [
      parameter.name,
      { shape: parameter.shape, data: drawWeights(parameter, index) },
    ]),
  );
  return {
    names: [...tensors.keys()],
    info: name => {
      const { shape, data } = tensors.get(name)!;
      return { name, dtype: 'F32', shape, storedBytes: data.byteLength };
    },
    readFloat32: name => tensors.get(name)!.data.slice(),
    readFloat32Rows: (name, start, count) => {
      const { shape, data } = tensors.get(name)!;
      const width = data.length / shape[0]!;
      return data.slice(start * width, (start + count) * width);
    },
    readBytes: name => new Uint8Array(tensors.get(name)!.data.slice().buffer),
    close: () => undefined,
  };
}

function drawWeights({ kind, shape }: ParameterInfo, index: number): Float32Array {
  return kind === 'norm'
    ? drawNumbers(countElements(shape), 0.8, 1.2, index)
    : drawNumbers(countElements(shape), -0.25, 0.25, index);
}

/** Numbers between the two, the same whenever they are asked for. */
export function drawNumbers(count: number, from: number, to: number, ...numbers: readonly number[]): Float32Array {
  const next = createGenerator([seed, ...numbers]);
  return Float32Array.from({ length: count }, () => from + (next() / 2 ** 32) * (to - from));
}

/** Packed rows of random tokens; what the loss asks of a batch beside labels is there. */
export function makeSmallBatch(loss: LossSpec): PackedBatch {
  const { batchRows, contextTokens } = smallBatchShape;
  const size = batchRows * contextTokens;
  const tokenIds = Int32Array.from(drawNumbers(size, 0, vocabularySize, 1), Math.floor);
  const positions = new Int32Array(size);
  const segments = new Int32Array(size).fill(-1);
  const targets: number[] = [];
  for (const [row, lengths] of segmentTokens.entries()) {
    let at = row * contextTokens;
    for (const [segment, tokens] of lengths.entries()) {
      for (let position = 0; position < tokens; position++, at++) {
        positions[at] = position;
        segments[at] = segment;
        if (position > 1) targets.push(at - 1);
      }
    }
  }
  const isChosen = targets.map(target => target < contextTokens);
  return {
    ...smallBatchShape,
    tokenIds,
    positions,
    segments,
    targetPositions: Int32Array.from(targets),
    labels: Int32Array.from(targets, target => tokenIds[target + 1]!),
    labelWeights: new Float32Array(targets.length).fill(1),
    tokens: segmentTokens.flat().reduce((sum, tokens) => sum + tokens, 0),
    ...(loss.kind === 'preference' && {
      preference: {
        pairOfLabel: new Int32Array(targets.length),
        signs: Float32Array.from(isChosen, chosen => (chosen ? 1 : -1)),
        reference: new Float64Array(2),
      },
    }),
    ...(loss.kind === 'distillation' && {
      teacher: {
        topK: loss.topK,
        ids: Int32Array.from({ length: targets.length * loss.topK }, (_, i) => i % loss.topK),
        logProbabilities: new Float32Array(targets.length * loss.topK).fill(-Math.log(loss.topK + 1)),
      },
    }),
  };
}
