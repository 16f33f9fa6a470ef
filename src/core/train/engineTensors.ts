/**
 * @file Stored weights -> the arrays that graphs read and the optimizer changes: one copy of each weight, fed as it is.
 */
import type { TensorSource } from '../formats/tensorSource.ts';
import type { WeightBlocks } from '../formats/weightBlocks.ts';
import type { Model } from '../models/findArchitecture.ts';
import { fedInputNames, moduleOf } from '../models/loraNames.ts';
import { listWeightTensors, type ParameterTensor, readParameterTensor } from '../models/parameterTensors.ts';
import { readWeight, toWeightBlocks } from '../models/readWeight.ts';
import { listRopeTables } from '../models/ropeInputs.ts';
import { describeAdapter, isTrained, type TrainableSpec, type TrainableTensor } from '../models/trainableSpec.ts';
import { formOf } from '../models/weightForm.ts';
import { floatData, makeTensor, type RuntimeTensor } from '../runtime/tensor.ts';
import { initializeAdapter } from './initializeLora.ts';
import type { StartValues } from './startValues.ts';
import type { TrainableParameter } from './trainingEngine.ts';

export interface EngineTensors {
  readonly parameters: readonly TrainableParameter[];
  /** Weights, adapters and rotary tables by graph input name. */
  readonly feeds: Readonly<Record<string, RuntimeTensor>>;
  /** Of an embedding that lies in blocks, by the name of its shard. */
  readonly embeddingBlocks: ReadonlyMap<string, WeightBlocks>;
}

export interface StartSettings {
  readonly seed: number;
  readonly contextTokens: number;
  /** Learning rate of B over that of A (LoRA+), 1 by default. */
  readonly loraPlusRatio?: number | undefined;
  /** Absent: a fresh start. */
  readonly start?: StartValues | undefined;
}

export function countElements(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

/** @throws TuneError `model-invalid` when a weight is missing or its shape is not what the config says. */
export function loadEngineTensors(
  model: Model,
  source: TensorSource,
  trainable: TrainableSpec,
  settings: StartSettings,
): EngineTensors {
  const { seed, contextTokens, loraPlusRatio = 1, start } = settings;
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
    const given = start?.values.get(name);
    if (given !== undefined) value.set(given);
    parameters.push({ name, shape, value, gradient: new Float32Array(value.length), decays, learningRateFactor });
  };
  const embeddingBlocks = new Map<string, WeightBlocks>();
  const weightSquares = (weight: ParameterTensor): Float32Array =>
    sumRowSquares(readParameterTensor(source, weight), weight.shape[0]!);
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
      const startValues = (tensor: TrainableTensor): Float32Array => {
        const initial = initializeAdapter(seed, tensor, trainable.adaptsRank === true);
        if (initial !== undefined) return initial;
        if (tensor.kind === 'magnitude') return weightSquares(weight).map(Math.sqrt);
        return new Float32Array(countElements(tensor.shape));
      };
      for (const tensor of describeAdapter(weight, trainable)) {
        const factor = tensor.kind === 'loraB' ? loraPlusRatio : 1;
        addParameter(tensor.name, tensor.shape, startValues(tensor), tensor.kind !== 'magnitude', factor);
      }
      if (trainable.gains) {
        const squares = weightSquares(weight);
        feeds[fedInputNames.weightSquares(moduleOf(weight))] = makeTensor('float32', squares, [squares.length]);
      }
    }
  }
  for (const { module, rank, a, b } of start?.stacked ?? []) {
    const { stackedA, stackedB } = fedInputNames;
    feeds[stackedA(module)] = makeTensor('float32', a, [rank, a.length / rank]);
    feeds[stackedB(module)] = makeTensor('float32', b, [b.length / rank, rank]);
  }
  for (const { name, value, shape } of parameters) feeds[name] ??= makeTensor('float32', value, shape);
  return { parameters, feeds, embeddingBlocks };
}

/** The squared length of each row, summed in float64. */
function sumRowSquares(matrix: Float32Array, rows: number): Float32Array {
  const width = matrix.length / rows;
  return Float32Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let i = row * width; i < (row + 1) * width; i++) sum += matrix[i]! * matrix[i]!;
    return sum;
  });
}
