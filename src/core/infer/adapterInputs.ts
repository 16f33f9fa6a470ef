/** @file An adapter, or none -> the LoRA inputs of a decoding graph, its scale folded into B. */
import { TuneError } from '../../shared/errors.ts';
import { type Adapter, isDora, type LoraPair } from '../adapter/readAdapter.ts';
import type { ParameterInfo } from '../models/architecture.ts';
import type { Model } from '../models/findArchitecture.ts';
import { listParameters } from '../models/listParameters.ts';
import { fedInputNames, loraParameterNames, moduleOf } from '../models/loraNames.ts';
import { listWeightTensors } from '../models/parameterTensors.ts';
import { floatData, makeTensor, type RuntimeTensor } from '../runtime/tensor.ts';
import { computeGain } from './doraGain.ts';

/**
 * A and B of every linear layer, by the decoding graph's input names: rank 0 where the adapter has none. For DoRA a gain
 * of every linear layer too, which asks for the graph with gains.
 */
export type AdapterInputs = Readonly<Record<string, RuntimeTensor>>;

type Weights = Readonly<Record<string, RuntimeTensor>>;

/** A resident model, as far as adapters need it. */
export interface AdaptedBase {
  readonly weights?: Weights | undefined;
  /** A weight that does not lie in floats, as floats all the same. */
  readonly readFloats?: ((weight: ParameterInfo) => Float32Array) | undefined;
  readonly packed?: { readonly offsets: ReadonlyMap<string, Float32Array> } | undefined;
}

/**
 * The inputs that make the base model the adapter's; null gives the base itself.
 * @param base what of the base model takes part: its weights by input name, read for DoRA, and the offsets of its packed
 * blocks, which B brings too
 * @throws TuneError `adapter-invalid` when the adapter belongs to a model of another shape
 */
export function makeAdapterInputs(model: Model, adapter: Adapter | null, base: AdaptedBase = {}): AdapterInputs {
  const linear = listLinear(model);
  if (adapter !== null) checkFits(adapter, model);
  const pairs = new Map(adapter?.pairs.map(pair => [pair.module, pair]));
  const hasGains = adapter !== null && isDora(adapter);
  const inputs = adapter === null ? {} : makeSavedInputs(model, adapter);
  for (const weight of linear) {
    const module = moduleOf(weight);
    const [out, inner] = weight.shape as [number, number];
    const names = loraParameterNames(module);
    const pair = pairs.get(module);
    const rank = pair?.rank ?? 0;
    inputs[names.a] = makeTensor('float32', pair?.a ?? new Float32Array(0), [rank, inner]);
    const b = joinColumns(pair ? foldScale(pair) : new Float32Array(0), base.packed?.offsets.get(module), out);
    inputs[names.b] = makeTensor('float32', b, [out, b.length / out]);
    if (hasGains) {
      inputs[fedInputNames.gain(module)] = makeTensor('float32', gainOf(weight, pair, base), [out]);
    }
  }
  return inputs;
}

/** B [out, R] with the offsets of packed blocks [out, in / block] behind its columns. */
function joinColumns(b: Float32Array, offsets: Float32Array | undefined, rows: number): Float32Array {
  if (offsets === undefined) return b;
  if (b.length === 0) return offsets;
  const [left, right] = [b.length / rows, offsets.length / rows];
  const joined = new Float32Array(b.length + offsets.length);
  for (let row = 0, at = 0; row < rows; row++, at += left + right) {
    joined.set(b.subarray(row * left, (row + 1) * left), at);
    joined.set(offsets.subarray(row * right, (row + 1) * right), at + left);
  }
  return joined;
}

/** Whether the adapter works on the base's weights in floats: it takes their place, or measures their columns. */
export function needsFloats(adapter: Adapter): boolean {
  return adapter.saved.length > 0 || isDora(adapter);
}

/** The weights that the adapter brings, in place of the base model's: tables cut as the model's are. */
export function makeSavedInputs(model: Model, { saved }: Adapter): Record<string, RuntimeTensor> {
  const values = new Map(saved.map(({ name, data }) => [name, data]));
  return Object.fromEntries(
    listWeightTensors(model).flatMap(({ name, shape, shard }) => {
      const data = values.get(shard?.of.name ?? name);
      if (data === undefined) return [];
      const start = (shard?.firstRow ?? 0) * shape[1]!;
      const part = shard ? data.subarray(start, start + shape[0]! * shape[1]!) : data;
      return [[name, makeTensor('float32', part, shape)]];
    }),
  );
}

/** Whether the inputs are for the graph with gains. */
export function hasGainInputs(inputs: AdapterInputs, model: Model): boolean {
  return fedInputNames.gain(moduleOf(listLinear(model)[0]!)) in inputs;
}

/** Ones where the layer has no magnitudes. */
export function gainOf(
  weight: ParameterInfo,
  pair: LoraPair | undefined,
  { weights = {}, readFloats }: AdaptedBase,
): Float32Array {
  if (pair?.magnitude === undefined) return new Float32Array(weight.shape[0]!).fill(1);
  const held = weights[weight.name];
  const matrix = held ? floatData(held) : readFloats?.(weight);
  if (matrix === undefined) throw new Error(`internal: DoRA: expected the weight ${weight.name}, got none`);
  return computeGain(matrix, pair, pair.magnitude);
}

export function listLinear({ architecture, config }: Model): ParameterInfo[] {
  const { layers } = architecture.describeParameters(config);
  return layers.flat().filter(({ kind }) => kind === 'linear');
}

/** B times the adapter's scale, [out, R]. */
export function foldScale({ b, scale }: Pick<LoraPair, 'b' | 'scale'>): Float32Array {
  return b.map(value => value * scale);
}

/** @throws TuneError `adapter-invalid` */
export function checkFits({ path, pairs, saved, coversAllLayers }: Adapter, model: Model): void {
  const shapes = new Map(listLinear(model).map(weight => [moduleOf(weight), weight.shape]));
  const toError = (expected: string, got: string): TuneError =>
    new TuneError('adapter-invalid', `${path}: expected ${expected}, got ${got}`, {
      file: path,
      hint: 'The adapter belongs to another base model: choose the one named in its adapter_config.json.',
    });
  for (const { module, inputSize, outputSize } of pairs) {
    const shape = shapes.get(module);
    if (shape === undefined) throw toError('LoRA weights for layers of the base model only', module);
    if (shape[0] !== outputSize || shape[1] !== inputSize) {
      throw toError(`${module} of shape [${shape.join(', ')}] as in the base model`, `[${outputSize}, ${inputSize}]`);
    }
  }
  const whole = new Map(listParameters(model).map(({ name, shape }) => [name, shape]));
  for (const { name, shape } of saved) {
    const expected = whole.get(name)?.join(', ');
    if (expected !== shape.join(', ')) {
      throw toError(
        `${name} ${expected ? `of shape [${expected}]` : 'only if the base model has it'}`,
        `[${shape.join(', ')}]`,
      );
    }
  }
  if (!coversAllLayers) return;
  const present = new Set(pairs.map(({ module }) => module));
  const kinds = new Set(pairs.map(({ module }) => kindOf(module)));
  const missing = [...shapes.keys()].find(module => kinds.has(kindOf(module)) && !present.has(module));
  if (missing !== undefined) throw toError(`LoRA weights for ${missing} as for the same layer of other blocks`, 'none');
}

/** `model.layers.3.mlp.up_proj` -> `model.layers.*.mlp.up_proj` */
function kindOf(module: string): string {
  return module.replace(/\.\d+\./, '.*.');
}
