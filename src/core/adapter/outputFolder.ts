/** @file Trained parameters -> the files of `adapter/` (LoRA, PEFT format) or `model/` (full, Hugging Face folder). */
import { encodeFloats } from '../formats/encodeFloats.ts';
import type { TokenizerFiles } from '../formats/tokenizerFiles.ts';
import { serializeSafetensors, type TensorToWrite } from '../formats/writeSafetensors.ts';
import { expandLayers } from '../models/chooseTrainable.ts';
import type { FileToWrite } from '../train/stagedFolder.ts';
import type { TrainableParameter } from '../train/trainingEngine.ts';
import { baseModelName, type CardFacts, writeModelCard } from './modelCard.ts';
import { toPeftConfig } from './peftConfig.ts';
import { adapterFileNames, adapterPrefix } from './readAdapter.ts';
import { jsonFile, textFile, tokenizerFolderFiles } from './tokenizerFolder.ts';

/** As transformers: weights of one file, until it would be larger than this. */
const maxShardBytes = 4 * 1000 ** 3;

export interface OutputContents {
  readonly parameters: readonly TrainableParameter[];
  readonly facts: CardFacts;
  readonly tokenizer: TokenizerFiles;
  readonly chatTemplate: string;
  /** Blocks of the model. */
  readonly layers: number;
  /** Full method only: config.json and generation_config.json of the base model. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly generationConfig: Readonly<Record<string, unknown>> | undefined;
}

/** Weights first. Their bytes are taken when they are written. */
export function outputFiles(contents: OutputContents, shardBytes = maxShardBytes): FileToWrite[] {
  const isLora = contents.facts.hyperparameters.method === 'lora';
  return [
    ...(isLora ? adapterFiles(contents) : modelFiles(contents, shardBytes)),
    ...tokenizerFolderFiles(contents.tokenizer, contents.chatTemplate),
    textFile('README.md', writeModelCard(contents.facts)),
  ];
}

function adapterFiles({ parameters, facts, layers }: OutputContents): FileToWrite[] {
  const { rank, alpha, rsLora, dropout, dora, targetModules, layersToTransform, modulesToSave } = facts.hyperparameters;
  const config = toPeftConfig({
    baseModel: baseModelName(facts.model),
    rank,
    alpha,
    rsLora,
    dropout,
    dora,
    targetModules: targetModules.filter(target => parameters.some(({ name }) => name.includes(`.${target}.lora_`))),
    layersToTransform: layersToTransform.length === 0 ? undefined : expandLayers(layersToTransform, layers),
    modulesToSave,
  });
  return [
    { name: adapterFileNames.weights, pieces: serializeSafetensors(parameters.map(toAdapterTensor), { format: 'pt' }) },
    jsonFile(adapterFileNames.config, config),
  ];
}

function modelFiles({ parameters, config, generationConfig }: OutputContents, shardBytes: number): FileToWrite[] {
  const { torch_dtype: _stored, ...rest } = config;
  const json = [
    jsonFile('config.json', { ...rest, dtype: 'float32' }),
    ...(generationConfig === undefined ? [] : [jsonFile('generation_config.json', generationConfig)]),
  ];
  const shards = cutIntoShards(parameters, shardBytes);
  if (shards.length === 1) {
    return [
      { name: 'model.safetensors', pieces: serializeSafetensors(parameters.map(toTensor), { format: 'pt' }) },
      ...json,
    ];
  }
  const number = (n: number) => String(n).padStart(5, '0');
  const nameOf = (shard: number) => `model-${number(shard + 1)}-of-${number(shards.length)}.safetensors`;
  const weightMap = Object.fromEntries(shards.flatMap((shard, i) => shard.map(p => [p.name, nameOf(i)])));
  return [
    ...shards.map((shard, i) => ({
      name: nameOf(i),
      pieces: serializeSafetensors(shard.map(toTensor), { format: 'pt' }),
    })),
    jsonFile('model.safetensors.index.json', {
      metadata: { total_size: parameters.reduce((sum, p) => sum + p.value.byteLength, 0) },
      weight_map: weightMap,
    }),
    ...json,
  ];
}

function cutIntoShards(parameters: readonly TrainableParameter[], shardBytes: number): TrainableParameter[][] {
  const shards: TrainableParameter[][] = [[]];
  let bytes = 0;
  for (const parameter of parameters) {
    if (bytes > 0 && bytes + parameter.value.byteLength > shardBytes) {
      shards.push([]);
      bytes = 0;
    }
    shards.at(-1)!.push(parameter);
    bytes += parameter.value.byteLength;
  }
  return shards;
}

function toTensor({ name, shape, value }: TrainableParameter): TensorToWrite {
  return { name, dtype: 'F32', shape, readPieces: () => [encodeFloats(value, 'F32')] };
}

/** What is trained whole beside an adapter is named under the adapter's prefix, as PEFT does. */
function toAdapterTensor(parameter: TrainableParameter): TensorToWrite {
  const { name } = parameter;
  return toTensor({ ...parameter, name: name.startsWith(adapterPrefix) ? name : `${adapterPrefix}${name}` });
}
