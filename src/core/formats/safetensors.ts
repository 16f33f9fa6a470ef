/** @file One safetensors file, or the shards that model.safetensors.index.json lists -> a TensorSource. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { TuneError } from '../../shared/errors.ts';
import { ForwardedTensors } from './forwardedTensors.ts';
import { RandomAccessFile } from './randomAccessFile.ts';
import { readSafetensorsHeader } from './safetensorsHeader.ts';
import { StoredTensors, toMissingTensorError } from './storedTensors.ts';
import { parseStrictJson, type StrictJson, StrictJsonError } from './strictJson.ts';
import type { TensorSource } from './tensorSource.ts';

const maxIndexBytes = 32 * 1024 * 1024;
const indexFile = 'model.safetensors.index.json';

export interface SafetensorsFile {
  readonly tensors: TensorSource;
  readonly metadata: ReadonlyMap<string, string>;
}

/** The tensors of one file, its descriptor held until `tensors.close()`. @throws TuneError `model-invalid` | `model-not-found` */
export function openSafetensors(path: string): SafetensorsFile {
  const file = RandomAccessFile.open(path);
  try {
    const header = readSafetensorsHeader(file);
    return { tensors: new StoredTensors(file, header.tensors), metadata: header.metadata };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** The weight files of a Hugging Face folder: the shards of its index, or model.safetensors. Empty when it has neither. */
export function listSafetensorsFiles(folder: string): string[] {
  const index = join(folder, indexFile);
  if (existsSync(index)) return [...new Set(readWeightMap(index).values())].map(file => join(folder, file));
  const single = join(folder, 'model.safetensors');
  return existsSync(single) ? [single] : [];
}

/** All tensors of a Hugging Face folder, from one file or from its shards. @throws TuneError `model-invalid` | `model-not-found` */
export function openSafetensorsFolder(folder: string): TensorSource {
  const index = join(folder, indexFile);
  if (!existsSync(index)) return openSafetensors(join(folder, 'model.safetensors')).tensors;
  return ShardedTensors.open(index, readWeightMap(index));
}

/** @returns tensor name -> shard file name, in the index's order. */
function readWeightMap(index: string): ReadonlyMap<string, string> {
  const fail = (expected: string, got: string): never => {
    throw new TuneError('model-invalid', `${index}: expected ${expected}, got ${got}`, {
      file: index,
      hint: 'Download the model again, or save it anew with save_pretrained.',
    });
  };
  const { size } = statSync(index);
  if (size > maxIndexBytes) fail(`an index of at most ${maxIndexBytes} bytes`, `${size}`);
  const weightMap = parseIndex(readFileSync(index, 'utf8'), fail);
  const result = new Map<string, string>();
  for (const [name, file] of weightMap) {
    if (typeof file !== 'string' || !isPlainFileName(file)) {
      return fail(`the name of a .safetensors file beside the index for ${JSON.stringify(name)}`, JSON.stringify(file));
    }
    result.set(name, file);
  }
  return result;
}

function parseIndex(text: string, fail: (expected: string, got: string) => never): ReadonlyMap<string, StrictJson> {
  try {
    const root = parseStrictJson(text);
    const weightMap = root instanceof Map ? root.get('weight_map') : undefined;
    return weightMap instanceof Map ? weightMap : fail('an object with "weight_map"', 'something else');
  } catch (error) {
    if (error instanceof StrictJsonError) return fail('JSON', error.message);
    throw error;
  }
}

function isPlainFileName(file: string): boolean {
  return file.endsWith('.safetensors') && basename(file) === file && !file.includes('\\');
}

/** Tensors spread over several files, each opened once. */
class ShardedTensors extends ForwardedTensors {
  readonly names: readonly string[];
  private readonly index: string;
  private readonly shardOf: ReadonlyMap<string, TensorSource>;

  private constructor(index: string, shardOf: ReadonlyMap<string, TensorSource>) {
    super();
    this.index = index;
    this.shardOf = shardOf;
    this.names = [...shardOf.keys()];
  }

  static open(index: string, weightMap: ReadonlyMap<string, string>): ShardedTensors {
    const shards = new Map<string, TensorSource>();
    try {
      for (const file of new Set(weightMap.values())) {
        shards.set(file, openSafetensors(join(dirname(index), file)).tensors);
      }
      const shardOf = new Map<string, TensorSource>();
      for (const [name, file] of weightMap) {
        const shard = shards.get(file)!;
        shard.info(name);
        shardOf.set(name, shard);
      }
      return new ShardedTensors(index, shardOf);
    } catch (error) {
      for (const shard of shards.values()) shard.close();
      throw error;
    }
  }

  close(): void {
    for (const shard of new Set(this.shardOf.values())) shard.close();
  }

  protected find(name: string): TensorSource {
    const shard = this.shardOf.get(name);
    if (shard) return shard;
    throw toMissingTensorError(this.index, name, this.names);
  }
}
