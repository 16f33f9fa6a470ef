/**
 * @file A tuned model -> the bytes of its GGUF file, tensor by tensor: names, order of rows and norms as llama.cpp has them.
 * Of a base that is a GGUF file every key is kept, and what the adapter leaves alone stays in the blocks that it has.
 */
import type { ExportType } from '../../../shared/exportFormats.ts';
import { MergedTensors } from '../../adapter/mergedTensors.ts';
import { encodeFloats, type FloatDtype } from '../../formats/encodeFloats.ts';
import { type GgufFile, openGguf } from '../../formats/gguf.ts';
import { quantizeBlocks, quantizedBlockElements } from '../../formats/quantizeBlocks.ts';
import { RandomAccessFile } from '../../formats/randomAccessFile.ts';
import { type GgufTensorToWrite, type GgufValueToWrite, serializeGguf } from '../../formats/writeGguf.ts';
import type { ParameterInfo } from '../../models/architecture.ts';
import { describeGgufModel } from '../../models/gguf/describeGgufModel.ts';
import { describeGgufTokenizer } from '../../models/gguf/describeGgufTokenizer.ts';
import { findGgufName, type GgufArchitecture } from '../../models/gguf/ggufArchitectures.ts';
import { interleaveHeads, toGgufName, toHuggingFaceName } from '../../models/gguf/ggufTensorNames.ts';
import { listParameters } from '../../models/listParameters.ts';
import { countPieceRows } from '../../models/readFloatPieces.ts';
import { withoutGenerationTags } from '../../text/generationTags.ts';
import { openModelText } from '../prepare/openModelText.ts';
import type { TunedModel } from './openTuned.ts';

type GgufType = FloatDtype | 'Q8_0' | 'Q4_0';
/** By a type: its name of a tensor's, and general.file_type. */
const fileTypes: Readonly<Record<ExportType, { readonly dtype: GgufType; readonly number: number }>> = {
  float32: { dtype: 'F32', number: 0 },
  float16: { dtype: 'F16', number: 1 },
  q4_0: { dtype: 'Q4_0', number: 2 },
  q8_0: { dtype: 'Q8_0', number: 7 },
  bfloat16: { dtype: 'BF16', number: 32 },
};

/** @throws TuneError `model-unsupported` for what llama.cpp would compute otherwise, before the first piece */
export function ggufModelPieces(tuned: TunedModel, type: ExportType): Iterable<Uint8Array> {
  return tuned.base.format === 'gguf' ? piecesBesideFile(tuned, type) : piecesOfFolder(tuned, type);
}

function piecesOfFolder(tuned: TunedModel, type: ExportType): Iterable<Uint8Array> {
  const { config } = tuned.model;
  const { name, architecture, metadata, tensors } = describeGgufModel(config);
  const template = withoutGenerationTags(tuned.chatTemplate);
  const keys: Record<string, GgufValueToWrite> = {
    'general.architecture': name,
    'general.type': 'model',
    'general.name': nameForLlamaCpp(tuned),
    'general.file_type': fileTypes[type].number,
    'general.quantization_version': 2,
    ...metadata,
    ...describeGgufTokenizer(tuned.base.tokenizer, config.vocabularySize, template),
  };
  const extra = tensors.map(({ name: each, data }): GgufTensorToWrite => {
    return { name: each, dtype: 'F32', shape: [data.length], readPieces: () => [encodeFloats(data, 'F32')] };
  });
  return serializeGguf([...listWeights(tuned, architecture, type, undefined), ...extra], keys);
}

/** Keys are copied as they stand: whatever they mean to llama.cpp stays. */
function* piecesBesideFile(tuned: TunedModel, type: ExportType): Generator<Uint8Array> {
  const file = openGguf(tuned.base.path);
  try {
    const { architecture } = findGgufName(tuned.model.config.modelType)!;
    const bytes = RandomAccessFile.open(file.path);
    const keys: Record<string, GgufValueToWrite> = {};
    try {
      for (const [key, range] of file.valueRanges) keys[key] = { raw: bytes.read(range.offset, range.bytes) };
    } finally {
      bytes.close();
    }
    keys['general.name'] = nameForLlamaCpp(tuned);
    keys['general.file_type'] = fileTypes[type].number;
    keys['general.quantization_version'] = 2;
    keys['general.alignment'] = 32;
    keys['tokenizer.chat_template'] = withoutGenerationTags(tuned.chatTemplate);
    const others = file.tensors.names
      .filter(name => toHuggingFaceName(name, architecture) === undefined)
      .map(name => copyTensor(file, name));
    yield* serializeGguf([...listWeights(tuned, architecture, type, file), ...others], keys);
  } finally {
    file.tensors.close();
  }
}

/** llama.cpp takes a name with "phi-3" in it for Phi-3's vocabulary, and ends where another vocabulary lacks its tokens. */
function nameForLlamaCpp({ name, base }: TunedModel): string {
  const hasTokens = openModelText(base).tokenizer.specialTokens.has('</s>');
  if (base.modelType !== 'phi3' || !hasTokens) return name.replace(/phi-?3/gi, 'phi 3');
  return /phi-?3/i.test(name) ? name : `${name} (Phi-3)`;
}

function listWeights(
  tuned: TunedModel,
  architecture: GgufArchitecture,
  type: ExportType,
  file: GgufFile | undefined,
): GgufTensorToWrite[] {
  const { weights, model } = tuned;
  const written = listParameters(model).map((parameter): GgufTensorToWrite => {
    const name = toGgufName(parameter.name, architecture);
    if (name === undefined) throw new Error(`internal: GGUF: expected a name for ${parameter.name}, got none`);
    const dtype = chooseDtype(parameter, type);
    const isKept = !(weights instanceof MergedTensors) || !weights.isChanged(parameter.name);
    if (file !== undefined && isKept && file.tensors.info(name).dtype === dtype) return copyTensor(file, name);
    return { name, dtype, shape: parameter.shape, readPieces: () => readPieces(tuned, architecture, parameter, dtype) };
  });
  const [embedding] = written;
  const needsHead = model.config.modelType === 'olmo2' && model.config.tiedEmbeddings;
  // llama.cpp's loader of this architecture knows no tied embeddings.
  return needsHead ? [...written, { ...embedding!, name: 'output.weight' }] : written;
}

/** Norms and biases stay float32; embedding and head are kept finer than linear layers, whose rows may be too short for blocks. */
function chooseDtype({ kind, shape }: ParameterInfo, type: ExportType): GgufType {
  if (shape.length === 1) return 'F32';
  const { dtype } = fileTypes[type];
  if (dtype !== 'Q8_0' && dtype !== 'Q4_0') return dtype;
  if (shape[1]! % quantizedBlockElements !== 0) return 'F16';
  return kind === 'linear' ? dtype : 'Q8_0';
}

function* readPieces(
  { weights, model }: TunedModel,
  architecture: GgufArchitecture,
  { name, shape, kind }: ParameterInfo,
  dtype: GgufType,
): Generator<Uint8Array> {
  const { heads, keyValueHeads } = model.config;
  const projection = /\.self_attn\.([qk])_proj\.(?:weight|bias)$/.exec(name)?.[1];
  if (architecture.hasInterleavedHeads && projection !== undefined) {
    const count = projection === 'q' ? heads : keyValueHeads;
    yield encode(interleaveHeads(weights.readFloat32(name), shape[0]!, count), dtype);
    return;
  }
  if (shape.length === 1) {
    const values = weights.readFloat32(name);
    yield encode(architecture.hasShiftedNorms && kind === 'norm' ? values.map(value => value + 1) : values, dtype);
    return;
  }
  const [rows, width] = shape as [number, number];
  const step = countPieceRows(width);
  for (let row = 0; row < rows; row += step) {
    yield encode(weights.readFloat32Rows(name, row, Math.min(step, rows - row)), dtype);
  }
}

function encode(values: Float32Array, dtype: GgufType): Uint8Array {
  return dtype === 'Q8_0' || dtype === 'Q4_0' ? quantizeBlocks(values, dtype) : encodeFloats(values, dtype);
}

function copyTensor(file: GgufFile, name: string): GgufTensorToWrite {
  const { dtype, shape } = file.tensors.info(name);
  return { name, dtype, shape, readPieces: () => copyPieces(file, name, shape) };
}

function* copyPieces({ tensors }: GgufFile, name: string, shape: readonly number[]): Generator<Uint8Array> {
  const [rows = 1, width = 1] = shape;
  const step = countPieceRows(width);
  for (let first = 0; first < rows; first += step) {
    yield tensors.readBytes(name, { first, count: Math.min(step, rows - first) });
  }
}
