/** @file A Hugging Face folder (config.json, tokenizer files, *.safetensors) -> an OpenModel. Pickle is never loaded. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { TuneError } from '../../shared/errors.ts';
import { LazyTensors } from '../formats/lazyTensors.ts';
import { listSafetensorsFiles, openSafetensorsFolder } from '../formats/safetensors.ts';
import type { TokenizerFiles } from '../formats/tokenizerFiles.ts';
import { readFolderTokenizer } from './folderTokenizer.ts';
import { hashWeightFiles, type OpenModel } from './openedModel.ts';
import { isJsonObject, type JsonObject, readJsonFile } from './readJsonFile.ts';

/** @throws TuneError `model-not-found` | `model-invalid` | `model-unsupported` */
export function openFolderModel(id: string, folder: string): OpenModel {
  const config = readConfig(folder);
  const modelType = config.model_type;
  if (typeof modelType !== 'string') {
    throw new TuneError(
      'model-invalid',
      `${join(folder, 'config.json')}: expected model_type, got ${describe(modelType)}`,
      {
        file: join(folder, 'config.json'),
        hint: 'Use the config.json that came with the model.',
      },
    );
  }
  refuseQuantized(config, folder);
  const weightFiles = listWeightFiles(folder);
  const generationConfig = readOptionalObject(join(folder, 'generation_config.json'));

  let tokenizer: TokenizerFiles | undefined;
  let sha256: string | undefined;
  const weights = new LazyTensors(() => openSafetensorsFolder(folder));
  return {
    id,
    path: folder,
    format: 'safetensors',
    modelType,
    config,
    generationConfig,
    weights,
    get tokenizer() {
      tokenizer ??= readFolderTokenizer(folder, config, generationConfig);
      return tokenizer;
    },
    weightFiles,
    computeSha256: () => (sha256 ??= hashWeightFiles(weightFiles)),
    close: () => weights.close(),
  };
}

function readConfig(folder: string): JsonObject {
  const path = join(folder, 'config.json');
  if (existsSync(path)) {
    const config = readJsonFile(path, 'model-invalid');
    if (isJsonObject(config)) return config;
    throw new TuneError('model-invalid', `${path}: expected an object, got ${describe(config)}`, {
      file: path,
      hint: 'Use the config.json that came with the model.',
    });
  }
  throw new TuneError('model-not-found', `${folder}: expected a model folder with config.json, got none`, {
    file: folder,
    hint: suggestForMissingConfig(folder),
  });
}

function suggestForMissingConfig(folder: string): string {
  const names = readdirSync(folder);
  if (names.includes('adapter_config.json')) {
    return 'This folder holds an adapter: name the base model here, and the adapter where adapters are asked for.';
  }
  const gguf = names.find(name => name.toLowerCase().endsWith('.gguf'));
  if (gguf) return `Name the GGUF file itself: ${join(folder, gguf)}`;
  return 'A model folder holds config.json, tokenizer.json, tokenizer_config.json and *.safetensors, as on the Hugging Face Hub.';
}

function refuseQuantized(config: JsonObject, folder: string): void {
  const quantization = config.quantization_config;
  if (!isJsonObject(quantization)) return;
  throw new TuneError(
    'model-unsupported',
    `${folder}: expected weights in F32, F16 or BF16, got quantization ${describe(quantization.quant_method)}`,
    {
      file: join(folder, 'config.json'),
      hint: 'Use the unquantized model (baseWeights chooses how it is held in memory), or its GGUF file in Q8_0, Q4_K_M or the like.',
    },
  );
}

function listWeightFiles(folder: string) {
  const files = listSafetensorsFiles(folder);
  if (files.length === 0) throw toMissingWeightsError(folder);
  return files.map(path => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat) return { path, bytes: stat.size };
    throw new TuneError('model-invalid', `${folder}: expected ${basename(path)}, as its index says, got no such file`, {
      file: path,
      hint: 'Download the missing file; all shards belong in one folder.',
    });
  });
}

function toMissingWeightsError(folder: string): TuneError {
  const names = readdirSync(folder);
  const pickle = names.find(name => /\.(bin|pt|pth|ckpt|pkl)$/.test(name) && name !== 'training_args.bin');
  if (pickle) {
    return new TuneError('model-unsupported', `${folder}: expected *.safetensors, got ${pickle}, which is a pickle`, {
      file: join(folder, pickle),
      hint:
        'Pickle files can run code when they are opened and are never loaded. Convert the model where you trust it: ' +
        `python -c "from transformers import AutoModelForCausalLM as M; M.from_pretrained('${folder}').save_pretrained('${folder}-safetensors')", ` +
        'then copy the tokenizer files beside it.',
    });
  }
  const other = names.find(name => name.endsWith('.safetensors'));
  return new TuneError(
    'model-not-found',
    `${folder}: expected model.safetensors or model.safetensors.index.json, got ${other ?? 'no weights'}`,
    {
      file: folder,
      hint: 'Download the model again, or save it anew with save_pretrained.',
    },
  );
}

function readOptionalObject(path: string): JsonObject | undefined {
  if (!existsSync(path)) return undefined;
  const value = readJsonFile(path, 'model-invalid');
  return isJsonObject(value) ? value : undefined;
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  return JSON.stringify(value).slice(0, 80);
}
