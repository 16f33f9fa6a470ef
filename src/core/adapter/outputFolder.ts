/** @file Trained parameters -> the files of `adapter/` (LoRA, PEFT format) or `model/` (full, Hugging Face folder). */
import { encodeFloats } from '../formats/encodeFloats.ts';
import type { TokenizerFiles } from '../formats/tokenizerFiles.ts';
import { serializeSafetensors, type TensorToWrite } from '../formats/writeSafetensors.ts';
import { expandLayers } from '../models/chooseTrainable.ts';
import { loraParameterNames } from '../models/loraNames.ts';
import type { FileToWrite } from '../train/stagedFolder.ts';
import type { FrozenPair } from '../train/startValues.ts';
import type { TrainableParameter } from '../train/trainingEngine.ts';
import { baseModelName, type CardFacts, writeModelCard } from './modelCard.ts';
import { maxShardBytes, modelFolderFiles } from './modelFolder.ts';
import { describePairs } from './pairSettings.ts';
import { toPeftConfig } from './peftConfig.ts';
import { adapterFileNames, adapterPrefix } from './readAdapter.ts';
import { jsonFile, textFile, tokenizerFolderFiles } from './tokenizerFolder.ts';
import { combinePairs, listTrainedPairs } from './trainedPairs.ts';

export interface OutputContents {
  readonly parameters: readonly TrainableParameter[];
  readonly facts: CardFacts;
  readonly tokenizer: TokenizerFiles;
  readonly chatTemplate: string;
  /** Blocks of the model. */
  readonly layers: number;
  /** Adapters that stay as they are beneath. */
  readonly stacked?: readonly FrozenPair[] | undefined;
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

function adapterFiles(contents: OutputContents): FileToWrite[] {
  const { facts, layers } = contents;
  const { rank, alpha, rsLora, dropout, dora, targetModules, layersToTransform, modulesToSave } = facts.hyperparameters;
  const trained = targetModules.filter(target =>
    contents.parameters.some(({ name }) => name.includes(`.${target}.lora_`)),
  );
  const combined = combineOutput(contents);
  const layersWithAdapters = layersToTransform.length === 0 ? undefined : expandLayers(layersToTransform, layers);
  const config = toPeftConfig({
    baseModel: baseModelName(facts.model),
    dropout,
    dora,
    modulesToSave,
    ...(combined
      ? { ...describePairs(combined.pairs), rsLora: false }
      : { rank, alpha, rsLora, targetModules: trained, layersToTransform: layersWithAdapters }),
  });
  const tensors = (combined?.parameters ?? contents.parameters).map(toAdapterTensor);
  return [
    { name: adapterFileNames.weights, pieces: serializeSafetensors(tensors, { format: 'pt' }) },
    jsonFile(adapterFileNames.config, config),
  ];
}

/** What is trained, of AdaLoRA the ranks that are left, and what stays beneath it as one plain adapter; undefined for one that is plain as it is trained. */
function combineOutput({ parameters, facts, stacked = [] }: OutputContents) {
  if (stacked.length === 0 && !facts.hyperparameters.adaLora) return undefined;
  const pairs = combinePairs(listTrainedPairs(parameters, facts.hyperparameters), stacked);
  const matrices = pairs.flatMap(({ module, rank, a, b, inputSize, outputSize }) => {
    const names = loraParameterNames(module);
    return [
      { name: names.a, shape: [rank, inputSize], value: a },
      { name: names.b, shape: [outputSize, rank], value: b },
    ];
  });
  const whole = parameters.filter(({ name }) => !name.includes('.lora_'));
  return { pairs, parameters: [...matrices, ...whole] };
}

function modelFiles({ parameters, config, generationConfig }: OutputContents, shardBytes: number): FileToWrite[] {
  return modelFolderFiles(parameters.map(toTensor), config, generationConfig, shardBytes);
}

type NamedValues = Pick<TrainableParameter, 'name' | 'shape' | 'value'>;

function toTensor({ name, shape, value }: NamedValues): TensorToWrite {
  return { name, dtype: 'F32', shape, readPieces: () => [encodeFloats(value, 'F32')] };
}

/** What is trained whole beside an adapter is named under the adapter's prefix, as PEFT does. */
function toAdapterTensor(parameter: NamedValues): TensorToWrite {
  const { name } = parameter;
  return toTensor({ ...parameter, name: name.startsWith(adapterPrefix) ? name : `${adapterPrefix}${name}` });
}
