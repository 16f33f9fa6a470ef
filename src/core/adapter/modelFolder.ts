/** @file The weights of a whole model -> the weight and configuration files of a Hugging Face folder, in shards where they are large. */
import { serializeSafetensors, type TensorToWrite } from '../formats/writeSafetensors.ts';
import type { FileToWrite } from '../train/stagedFolder.ts';
import { jsonFile, textFile } from './tokenizerFolder.ts';

/** As transformers: weights of one file, until it would be larger than this. */
export const maxShardBytes = 4 * 1000 ** 3;

/** As config.json names them. */
const dtypeNames: Readonly<Partial<Record<TensorToWrite['dtype'], string>>> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
};

/** Fields that transformers takes as floats alone: 30 must read 30.0. */
const floatField = /^( *"(?:attn_logit_softcapping|final_logit_softcapping)": -?\d+)(,?)$/gm;

/** config.json, whole numbers written as transformers' strict validation wants them. */
export function configFile(config: Readonly<Record<string, unknown>>): FileToWrite {
  return textFile('config.json', `${JSON.stringify(config, null, 2)}\n`.replace(floatField, '$1.0$2'));
}

/** @param tensors all of one float type, in the order of a forward pass; read when they are written */
export function modelFolderFiles(
  tensors: readonly TensorToWrite[],
  config: Readonly<Record<string, unknown>>,
  generationConfig: Readonly<Record<string, unknown>> | undefined,
  shardBytes = maxShardBytes,
): FileToWrite[] {
  const { torch_dtype: _stored, ...rest } = config;
  const json = [
    configFile({ ...rest, dtype: dtypeNames[tensors[0]?.dtype ?? 'F32'] ?? 'float32' }),
    ...(generationConfig === undefined ? [] : [jsonFile('generation_config.json', generationConfig)]),
  ];
  const shards = cutIntoShards(tensors, shardBytes);
  if (shards.length === 1) {
    return [{ name: 'model.safetensors', pieces: serializeSafetensors(tensors, { format: 'pt' }) }, ...json];
  }
  const number = (n: number) => String(n).padStart(5, '0');
  const nameOf = (shard: number) => `model-${number(shard + 1)}-of-${number(shards.length)}.safetensors`;
  const weightMap = Object.fromEntries(shards.flatMap((shard, i) => shard.map(p => [p.name, nameOf(i)])));
  return [
    ...shards.map((shard, i) => ({ name: nameOf(i), pieces: serializeSafetensors(shard, { format: 'pt' }) })),
    jsonFile('model.safetensors.index.json', {
      metadata: { total_size: tensors.reduce((sum, tensor) => sum + countBytes(tensor), 0) },
      weight_map: weightMap,
    }),
    ...json,
  ];
}

function cutIntoShards(tensors: readonly TensorToWrite[], shardBytes: number): TensorToWrite[][] {
  const shards: TensorToWrite[][] = [[]];
  let bytes = 0;
  for (const tensor of tensors) {
    const size = countBytes(tensor);
    if (bytes > 0 && bytes + size > shardBytes) {
      shards.push([]);
      bytes = 0;
    }
    shards.at(-1)!.push(tensor);
    bytes += size;
  }
  return shards;
}

function countBytes({ shape, dtype }: TensorToWrite): number {
  return shape.reduce((product, dim) => product * dim, dtype === 'F32' ? 4 : 2);
}
