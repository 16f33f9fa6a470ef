/** @file A .gguf file -> an OpenModel whose config, weights and tokenizer look as if they came from a Hugging Face folder. */
import { TuneError } from '../../../shared/errors.ts';
import { type GgufFile, openGguf } from '../../formats/gguf.ts';
import { ggufTensorTypes } from '../../formats/ggufTypes.ts';
import { unsupportedTypeHint } from '../../formats/storedTensors.ts';
import type { TokenizerFiles } from '../../formats/tokenizerFiles.ts';
import { takeOneOffNorms } from '../architectures/shiftedNorms.ts';
import { hashWeightFiles, type OpenModel } from '../openedModel.ts';
import type { JsonObject } from '../readJsonFile.ts';
import { type GgufConfig, readGgufConfig } from './ggufConfig.ts';
import { RenamedGgufTensors } from './ggufTensorNames.ts';
import { readGgufTokenizer } from './ggufTokenizer.ts';

const decodableTypes = new Set([...ggufTensorTypes.values()].filter(type => type.codec).map(type => type.name));

/** @throws TuneError `model-not-found` | `model-invalid` | `model-unsupported` */
export function openGgufModel(id: string, path: string, bytes: number): OpenModel {
  const file = openGguf(path);
  try {
    return describeModel(id, path, bytes, file);
  } catch (error) {
    file.tensors.close();
    throw error;
  }
}

function describeModel(id: string, path: string, bytes: number, file: GgufFile): OpenModel {
  refuseUndecodableTypes(file);
  const described = readGgufConfig(file);
  const { config, modelType, architecture } = described;
  if (architecture?.hasInterleavedHeads) checkHeadRows(file, described);
  const renamed = new RenamedGgufTensors(file.tensors, architecture, described);
  const weights = architecture?.hasShiftedNorms ? takeOneOffNorms(renamed) : renamed;
  const weightFiles = [{ path, bytes }];

  let tokenizer: TokenizerFiles | undefined;
  let sha256: string | undefined;
  const readTokenizer = () => (tokenizer ??= readGgufTokenizer(file));
  return {
    id,
    path,
    format: 'gguf',
    modelType,
    config,
    get generationConfig() {
      return readGenerationConfig(readTokenizer(), config);
    },
    weights,
    get tokenizer() {
      return readTokenizer();
    },
    weightFiles,
    computeSha256: () => (sha256 ??= hashWeightFiles(weightFiles)),
    close: () => weights.close(),
  };
}

/** Where generation ends, as generation_config.json says it. */
function readGenerationConfig({ tokenizerConfig }: TokenizerFiles, config: JsonObject): JsonObject {
  const { bos_token_id, eos_token_id, pad_token_id } = config;
  const endIds = [eos_token_id, ...(tokenizerConfig.extra_eos_token_ids ?? [])].filter(id => id !== undefined);
  return { bos_token_id, eos_token_id: endIds.length > 1 ? endIds : endIds[0], pad_token_id };
}

function refuseUndecodableTypes(file: GgufFile): void {
  for (const name of file.tensors.names) {
    const { dtype } = file.tensors.info(name);
    if (decodableTypes.has(dtype)) continue;
    throw new TuneError(
      'model-unsupported',
      `${file.path}: expected tensors that this engine can decode, got type ${dtype} in ${name}`,
      { file: file.path, hint: unsupportedTypeHint },
    );
  }
}

/** Rows can be put back in order only where they divide into heads of an even size. */
function checkHeadRows(file: GgufFile, { queryHeads, keyValueHeads }: GgufConfig): void {
  for (const name of file.tensors.names) {
    const projection = /^blk\.\d+\.attn_([qk])\.(?:weight|bias)$/.exec(name)?.[1];
    if (!projection) continue;
    const heads = projection === 'q' ? queryHeads : keyValueHeads;
    const rows = file.tensors.info(name).shape[0] ?? 0;
    if (rows > 0 && rows % (heads * 2) === 0) continue;
    throw new TuneError(
      'model-invalid',
      `${file.path}: expected rows of ${name} that divide into ${heads} heads of even size, got ${rows}`,
      { file: file.path, hint: 'The file is damaged or was converted wrongly: convert or download it again.' },
    );
  }
}
