/** @file An adapter, or none -> the LoRA inputs of a decoding graph, its scale folded into B. */
import { TuneError } from '../../shared/errors.ts';
import type { Adapter, LoraPair } from '../adapter/readAdapter.ts';
import type { ParameterInfo } from '../models/architecture.ts';
import type { Model } from '../models/findArchitecture.ts';
import { loraParameterNames, moduleOf } from '../models/loraNames.ts';
import { makeTensor, type RuntimeTensor } from '../runtime/tensor.ts';

/** A and B of every linear layer, by the decoding graph's input names. Rank 0 where the adapter has none. */
export type AdapterInputs = Readonly<Record<string, RuntimeTensor>>;

/**
 * The inputs that make the base model the adapter's; null gives the base itself.
 * @throws TuneError `adapter-invalid` when the adapter belongs to a model of another shape
 */
export function makeAdapterInputs(model: Model, adapter: Adapter | null): AdapterInputs {
  const linear = listLinear(model);
  if (adapter !== null) checkFits(adapter, linear);
  const pairs = new Map(adapter?.pairs.map(pair => [pair.module, pair]));
  const inputs: Record<string, RuntimeTensor> = {};
  for (const weight of linear) {
    const module = moduleOf(weight);
    const [out, inner] = weight.shape as [number, number];
    const names = loraParameterNames(module);
    const pair = pairs.get(module);
    const rank = pair?.rank ?? 0;
    inputs[names.a] = makeTensor('float32', pair?.a ?? new Float32Array(0), [rank, inner]);
    inputs[names.b] = makeTensor('float32', pair ? foldScale(pair) : new Float32Array(0), [out, rank]);
  }
  return inputs;
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
export function checkFits({ path, pairs, coversAllLayers }: Adapter, linear: readonly ParameterInfo[]): void {
  const shapes = new Map(linear.map(weight => [moduleOf(weight), weight.shape]));
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
