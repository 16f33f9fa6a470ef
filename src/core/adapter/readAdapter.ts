/** @file An adapter folder in PEFT's format -> its LoRA matrices, each with the scale that belongs to it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TuneError } from '../../shared/errors.ts';
import { openSafetensors } from '../formats/safetensors.ts';
import type { TensorSource } from '../formats/tensorSource.ts';
import { loraScale } from '../train/loraScale.ts';
import { findCompleteFolder } from '../train/stagedFolder.ts';
import { type PeftConfig, peftConfigSchema } from './peftConfig.ts';

export const adapterFileNames = { config: 'adapter_config.json', weights: 'adapter_model.safetensors' } as const;

export interface LoraPair {
  /** `model.layers.0.self_attn.q_proj` */
  readonly module: string;
  readonly rank: number;
  /** What B A x is multiplied by. */
  readonly scale: number;
  /** [R, in] */
  readonly a: Float32Array;
  /** [out, R] */
  readonly b: Float32Array;
  /** DoRA's, [out]. */
  readonly magnitude?: Float32Array | undefined;
  readonly inputSize: number;
  readonly outputSize: number;
}

/** A parameter of the base model that the adapter brings its own values for. */
export interface SavedParameter {
  /** As in the base model: `lm_head.weight`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface Adapter {
  readonly path: string;
  /** As adapter_config.json names it; null when it names none. */
  readonly baseModel: string | null;
  readonly pairs: readonly LoraPair[];
  readonly saved: readonly SavedParameter[];
  /** What adapter_config.json says beyond the matrices; absent for one that is not read from a folder. */
  readonly config?: PeftConfig | undefined;
  /** Whether every layer of the kinds it names must have a pair: true unless its config chooses layers. */
  readonly coversAllLayers: boolean;
}

export function isDora({ pairs }: Adapter): boolean {
  return pairs.some(({ magnitude }) => magnitude !== undefined);
}

/** Before every tensor's name. */
export const adapterPrefix = 'base_model.model.';
const tensorPattern =
  /^(?:base_model\.model\.)?(.+)\.lora_(?:([AB])(?:\.default)?\.weight|(magnitude_vector)(?:\.default)?(?:\.weight)?)$/;

/** The module that an adapter's tensor belongs to; undefined for another tensor. */
export function moduleOfTensor(name: string): string | undefined {
  return tensorPattern.exec(name)?.[1];
}

/** @throws TuneError `adapter-invalid` */
export function readAdapter(folder: string): Adapter {
  const path = findCompleteFolder(folder) ?? folder;
  const config = readConfig(join(path, adapterFileNames.config));
  const weights = join(path, adapterFileNames.weights);
  const tensors = openWeights(weights);
  try {
    const isSaved = (name: string): boolean => (config.modules_to_save ?? []).some(end => isSavedAs(name, end));
    const modules = new Map<string, { A?: string; B?: string; magnitude_vector?: string }>();
    for (const name of tensors.names) {
      const match = tensorPattern.exec(name);
      if (match === null && isSaved(name)) continue;
      if (match === null) throw fail(weights, 'only lora_A and lora_B weights', name);
      const module = modules.get(match[1]!) ?? {};
      module[(match[2] ?? match[3]) as 'A' | 'B' | 'magnitude_vector'] = name;
      modules.set(match[1]!, module);
    }
    const unsaved = (config.modules_to_save ?? []).find(end => !tensors.names.some(name => isSavedAs(name, end)));
    if (unsaved !== undefined) throw fail(weights, `the weights of ${unsaved}, which modules_to_save names`, 'none');
    if (modules.size === 0) throw fail(weights, 'lora_A and lora_B weights', 'none');
    const pairs = [...modules].map(([module, names]) => {
      if (names.A === undefined || names.B === undefined) {
        throw fail(weights, `both lora_A and lora_B of ${module}`, 'one of them');
      }
      const [a, b] = [tensors.info(names.A).shape, tensors.info(names.B).shape];
      if (a.length !== 2 || b.length !== 2 || a[0] !== b[1]) {
        throw fail(
          weights,
          `lora_A [R, in] and lora_B [out, R] of ${module}`,
          `[${a.join(', ')}] and [${b.join(', ')}]`,
        );
      }
      const magnitude = names.magnitude_vector;
      const isDora = config.use_dora ?? false;
      if (isDora !== (magnitude !== undefined) || (magnitude && tensors.info(magnitude).shape.join() !== `${b[0]}`)) {
        const shape = magnitude ? `[${tensors.info(magnitude).shape.join(', ')}]` : 'none';
        throw fail(weights, `${isDora ? 'a' : 'no'} lora_magnitude_vector [${b[0]}] of ${module}`, shape);
      }
      const rank = a[0]!;
      const alpha = findPattern(config.alpha_pattern, module) ?? config.lora_alpha;
      return {
        module,
        rank,
        scale: loraScale({ rank, alpha, rsLora: config.use_rslora ?? false }),
        a: tensors.readFloat32(names.A),
        b: tensors.readFloat32(names.B),
        ...(magnitude === undefined ? {} : { magnitude: tensors.readFloat32(magnitude) }),
        inputSize: a[1]!,
        outputSize: b[0]!,
      };
    });
    const coversAllLayers =
      Array.isArray(config.target_modules) &&
      !config.target_modules.some(target => /\.\d+\./.test(target)) &&
      (config.layers_to_transform ?? null) === null;
    const saved = tensors.names.filter(isSaved).map(name => ({
      name: name.startsWith(adapterPrefix) ? name.slice(adapterPrefix.length) : name,
      shape: tensors.info(name).shape,
      data: tensors.readFloat32(name),
    }));
    return { path: folder, baseModel: config.base_model_name_or_path ?? null, pairs, saved, config, coversAllLayers };
  } finally {
    tensors.close();
  }
}

/** Whether the tensor belongs to a module that `modules_to_save` names by its end, as PEFT matches it. */
function isSavedAs(name: string, end: string): boolean {
  return tensorPattern.exec(name) === null && name.slice(0, name.lastIndexOf('.')).endsWith(end);
}

function readConfig(path: string) {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw fail(path, 'an adapter in PEFT format', (error as NodeJS.ErrnoException).code ?? (error as Error).message);
  }
  const parsed = peftConfigSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw fail(`${path}, ${issue?.path.join('.')}`, 'a plain LoRA adapter', issue?.message ?? 'another one', path);
}

function openWeights(path: string): TensorSource {
  try {
    return openSafetensors(path).tensors;
  } catch (error) {
    if (error instanceof TuneError) throw fail(path, 'the weights of an adapter', error.message);
    throw error;
  }
}

/** PEFT's patterns match the end of a module's name. */
function findPattern(patterns: Record<string, number> | null | undefined, module: string): number | undefined {
  const found = Object.entries(patterns ?? {}).find(([end]) => module === end || module.endsWith(`.${end}`));
  return found?.[1];
}

function fail(where: string, expected: string, got: string, file = where): TuneError {
  return new TuneError('adapter-invalid', `${where}: expected ${expected}, got ${got}`, {
    file,
    hint: 'Use an adapter folder with adapter_config.json and adapter_model.safetensors, or export it anew.',
  });
}
