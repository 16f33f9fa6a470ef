/** A chat model with random weights as a folder, small enough to load in a moment and fit for fast decoding, and adapters on it. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toPeftConfig } from '../../src/core/adapter/peftConfig.ts';
import { encodeFloats } from '../../src/core/formats/encodeFloats.ts';
import { writeSafetensors } from '../../src/core/formats/writeSafetensors.ts';
import { loadResidentModel, type ResidentModel } from '../../src/core/infer/residentModel.ts';
import { type Model, readModel } from '../../src/core/models/findArchitecture.ts';
import { findTargets, loraParameterNames, moduleOf } from '../../src/core/models/loraNames.ts';
import { openFolderModel } from '../../src/core/models/openFolderModel.ts';
import { seededNumbers } from '../unit/core/graph/seededNumbers.ts';

const fixture = fileURLToPath(new URL('../fixtures/models/folder', import.meta.url));

const configJson = {
  ...JSON.parse(readFileSync(join(fixture, 'config.json'), 'utf8')),
  hidden_size: 32,
  intermediate_size: 48,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 16,
  max_position_embeddings: 512,
};

export const tinyChatModel = readModel(configJson);

export function writeTinyChatModel(folder: string, changes: Readonly<Record<string, unknown>> = {}): string {
  mkdirSync(folder, { recursive: true });
  for (const name of ['chat_template.jinja', 'generation_config.json', 'tokenizer.json', 'tokenizer_config.json']) {
    cpSync(join(fixture, name), join(folder, name));
  }
  const config = { ...configJson, ...changes };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const model = readModel(config);
  const { embedding, layers, finalNorm, head } = model.architecture.describeParameters(model.config);
  writeTensors(
    join(folder, 'model.safetensors'),
    [...new Set([embedding, ...layers.flat(), finalNorm, head])].map(({ name, shape, kind }, index) => {
      const [from, to] = kind === 'norm' ? [0.8, 1.2] : [-0.4, 0.4];
      return { name, shape, values: seededNumbers(index * 31 + 17, count(shape), from, to) };
    }),
  );
  return folder;
}

export interface TinyAdapter {
  /** The model that it belongs to; default the tiny chat model. */
  readonly model?: Model;
  readonly rank?: number;
  readonly alpha?: number;
  readonly targetModules?: readonly string[];
  /** Of B's random numbers; 0 leaves the base as it is. */
  readonly strength?: number;
  readonly seed?: number;
  /** Leaves modules out or changes tensors. */
  readonly change?: (tensors: TinyTensor[]) => TinyTensor[];
}

export interface TinyTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

export function writeTinyAdapter(folder: string, adapter: TinyAdapter = {}): string {
  const { rank = 2, alpha = 4, targetModules = ['q_proj', 'v_proj', 'down_proj'], strength = 0.5, seed = 1 } = adapter;
  mkdirSync(folder, { recursive: true });
  const settings = { baseModel: 'tiny', rank, alpha, rsLora: false, dropout: 0, dora: false, targetModules };
  writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify(toPeftConfig(settings)));
  const { architecture, config } = adapter.model ?? tinyChatModel;
  const { layers } = architecture.describeParameters(config);
  const tensors = findTargets(layers.flat(), targetModules).flatMap((weight, index): TinyTensor[] => {
    const [out, inner] = weight.shape as [number, number];
    const names = loraParameterNames(moduleOf(weight));
    const numbers = (purpose: number, size: number, limit: number) =>
      seededNumbers(seed * 1000 + index * 7 + purpose, size, -limit, limit);
    return [
      { name: names.a, shape: [rank, inner], values: numbers(1, rank * inner, 0.5) },
      { name: names.b, shape: [out, rank], values: numbers(2, out * rank, strength) },
    ];
  });
  writeTensors(join(folder, 'adapter_model.safetensors'), adapter.change?.(tensors) ?? tensors);
  return folder;
}

export async function loadTinyChatModel(folder: string): Promise<ResidentModel> {
  const opened = openFolderModel('tiny', folder);
  try {
    return await loadResidentModel(opened);
  } finally {
    opened.close();
  }
}

function writeTensors(path: string, tensors: readonly TinyTensor[]): void {
  writeSafetensors(
    path,
    tensors.map(({ name, shape, values }) => ({
      name,
      shape,
      dtype: 'F32' as const,
      readPieces: () => [encodeFloats(Float32Array.from(values), 'F32')],
    })),
  );
}

function count(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}
