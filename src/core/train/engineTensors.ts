/**
 * @file Stored weights -> the arrays that graphs read and the optimizer changes: one copy of each weight, fed as it is.
 */
import type { TensorSource } from '../formats/tensorSource.ts';
import type { WeightBlocks } from '../formats/weightBlocks.ts';
import type { Model } from '../models/findArchitecture.ts';
import { listWeightTensors } from '../models/parameterTensors.ts';
import { readWeight, toWeightBlocks } from '../models/readWeight.ts';
import { listRopeTables } from '../models/ropeInputs.ts';
import { describeLora, isTrained, type TrainableSpec } from '../models/trainingContext.ts';
import { formOf } from '../models/weightForm.ts';
import { floatData, makeTensor, type RuntimeTensor } from '../runtime/tensor.ts';
import { initializeLoraA } from './initializeLora.ts';
import type { TrainableParameter } from './trainingEngine.ts';

export interface EngineTensors {
  readonly parameters: readonly TrainableParameter[];
  /** Weights, adapters and rotary tables by graph input name. */
  readonly feeds: Readonly<Record<string, RuntimeTensor>>;
  /** Of an embedding that lies in blocks, by the name of its shard. */
  readonly embeddingBlocks: ReadonlyMap<string, WeightBlocks>;
}

export function countElements(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

/** @throws TuneError `model-invalid` when a weight is missing or its shape is not what the config says. */
export function loadEngineTensors(
  model: Model,
  source: TensorSource,
  trainable: TrainableSpec,
  seed: number,
  contextTokens: number,
  loraPlusRatio = 1,
): EngineTensors {
  const weights = listWeightTensors(model);
  const feeds: Record<string, RuntimeTensor> = {};
  for (const { name, data, shape } of listRopeTables(model.config, contextTokens)) {
    feeds[name] = makeTensor('float32', data, shape);
  }
  const parameters: TrainableParameter[] = [];
  const addParameter = (
    name: string,
    shape: readonly number[],
    value: Float32Array,
    decays: boolean,
    learningRateFactor = 1,
  ): void => {
    parameters.push({ name, shape, value, gradient: new Float32Array(value.length), decays, learningRateFactor });
  };
  const embeddingBlocks = new Map<string, WeightBlocks>();
  for (const weight of weights) {
    const form = formOf(model, weight);
    const arrays = readWeight(source, weight, form);
    if (weight.kind === 'embedding' && form.kind === 'blocks')
      embeddingBlocks.set(weight.name, toWeightBlocks(arrays, form));
    for (const { name, type, data, shape } of arrays) feeds[name] = makeTensor(type, data, shape);
    if (isTrained(trainable, weight)) {
      addParameter(
        weight.name,
        weight.shape,
        floatData(feeds[weight.name]!),
        weight.kind !== 'bias' && weight.kind !== 'norm',
      );
    } else if (trainable.method === 'lora' && trainable.targets.has(weight.name)) {
      const [a, b] = describeLora(weight, trainable.rank);
      addParameter(a.name, a.shape, initializeLoraA(seed, a.name, a.shape[0]!, a.shape[1]!), true);
      addParameter(b.name, b.shape, new Float32Array(countElements(b.shape)), true, loraPlusRatio);
    }
  }
  for (const { name, value, shape } of parameters) feeds[name] ??= makeTensor('float32', value, shape);
  return { parameters, feeds, embeddingBlocks };
}
