/**
 * @file A tuned model -> an ONNX model with tokenizer for transformers.js: `onnx/model.onnx` with the computation, its weights
 * beside it in files below 2 GB, and the configuration that says so. It is checked by running it in transformers.js.
 */
import { type ExportType, exportTypeBytes } from '../../../shared/exportFormats.ts';
import { configFile } from '../../adapter/modelFolder.ts';
import { jsonFile, tokenizerFolderFiles } from '../../adapter/tokenizerFolder.ts';
import { encodeOnnxModel, type OnnxInitializer, type OnnxModel, onnxElementTypes } from '../../formats/onnxModel.ts';
import type { TensorSource } from '../../formats/tensorSource.ts';
import { emitOnnx } from '../../graph/emitOnnx.ts';
import { completeGenerationConfig } from '../../models/endTokens.ts';
import { buildExportGraph } from '../../models/exportGraph.ts';
import type { ParameterTensor } from '../../models/parameterTensors.ts';
import { readFloatPieces } from '../../models/readFloatPieces.ts';
import { withoutGenerationTags } from '../../text/generationTags.ts';
import type { FileToWrite } from '../../train/stagedFolder.ts';
import { compareLogits } from './compareExport.ts';
import type { ExportPlanner } from './exportPlan.ts';
import type { TunedModel } from './openTuned.ts';
import { probeOnnx } from './probeOnnx.ts';

/** A browser holds a file in one buffer. */
const maxDataBytes = 1_500_000_000;
const alignment = 64;
const stored = {
  float32: { dtype: 'F32', element: 'float32', name: 'fp32', suffix: '' },
  float16: { dtype: 'F16', element: 'float16', name: 'fp16', suffix: '_fp16' },
} as const;
type StoredType = keyof typeof stored;

interface PlacedWeight {
  readonly weight: ParameterTensor;
  readonly file: number;
  readonly offset: number;
  readonly bytes: number;
}

export const planOnnx: ExportPlanner = (tuned, { dtype }) => {
  const { graph, outputs, weights } = buildExportGraph(tuned.model);
  const { suffix, name } = stored[dtype as StoredType];
  const placed = placeWeights(weights, dtype);
  const files = 1 + Math.max(...placed.map(({ file }) => file));
  const modelName = `model${suffix}.onnx`;
  const dataName = (file: number): string => `${modelName}_data${file === 0 ? '' : `_${file}`}`;
  const onnx = placeInitializers(emitOnnx(graph, outputs), placed, dtype as StoredType, dataName);
  return {
    files: [
      ...Array.from({ length: files }, (_, file) => ({
        name: `onnx/${dataName(file)}`,
        pieces: readData(tuned.weights, placed, file, dtype as StoredType),
      })),
      { name: `onnx/${modelName}`, pieces: [encodeOnnxModel(onnx)] },
      ...describeFiles(tuned, { dtype: name, use_external_data_format: { [modelName]: files } }),
    ],
    totalBytes: Math.ceil(tuned.weightCount * exportTypeBytes[dtype]),
    async check(staged, expected) {
      const tokenIds = expected?.tokenIds ?? [0, 1, 2];
      const logits = await probeOnnx(staged, name, tokenIds);
      const tool = 'transformers.js';
      if (expected !== undefined) return compareLogits(expected, logits, { tool, type: dtype, path: staged });
      return { tool, tokens: 0, sameTokens: 0, difference: 0 };
    },
  };
};

function describeFiles({ base, chatTemplate }: TunedModel, settings: object): FileToWrite[] {
  const { torch_dtype: _stored, ...config } = base.config;
  const template = withoutGenerationTags(chatTemplate);
  const files = tokenizerFolderFiles(base.tokenizer, template);
  return [
    configFile({ ...config, dtype: 'float32', 'transformers.js_config': settings }),
    jsonFile('generation_config.json', completeGenerationConfig(base)),
    ...files,
  ];
}

function placeWeights(weights: readonly ParameterTensor[], dtype: ExportType): PlacedWeight[] {
  let [file, end] = [0, 0];
  return weights.map(weight => {
    const bytes = weight.shape.reduce((product, dim) => product * dim, exportTypeBytes[dtype]);
    if (end > 0 && end + bytes > maxDataBytes) [file, end] = [file + 1, 0];
    const offset = end;
    end = Math.ceil((offset + bytes) / alignment) * alignment;
    return { weight, file, offset, bytes };
  });
}

/** Weights that were inputs become constants in those files; halves are widened where they are used. */
function placeInitializers(
  model: OnnxModel,
  placed: readonly PlacedWeight[],
  dtype: StoredType,
  dataName: (file: number) => string,
): OnnxModel {
  const { element } = stored[dtype];
  const isHalf = element === 'float16';
  const names = new Set(placed.map(({ weight }) => weight.name));
  const storedName = (name: string): string => (isHalf ? `${name}:half` : name);
  const initializers = placed.map(
    ({ weight, file, offset, bytes }): OnnxInitializer => ({
      name: storedName(weight.name),
      elementType: element,
      shape: weight.shape,
      data: new Float32Array(0),
      place: { file: dataName(file), offset, bytes },
    }),
  );
  const casts = [...names].map(name => ({
    type: 'Cast',
    domain: '',
    inputs: [storedName(name)],
    outputs: [name],
    attributes: { to: onnxElementTypes.float32 },
  }));
  return {
    nodes: [...(isHalf ? casts : []), ...model.nodes],
    initializers: [...model.initializers, ...initializers],
    inputs: model.inputs.filter(({ name }) => !names.has(name)),
    outputs: model.outputs,
  };
}

function* readData(
  weights: TensorSource,
  placed: readonly PlacedWeight[],
  file: number,
  dtype: StoredType,
): Generator<Uint8Array> {
  let end = 0;
  for (const { weight, offset, bytes } of placed.filter(each => each.file === file)) {
    if (offset > end) yield new Uint8Array(offset - end);
    end = offset + bytes;
    const { name, shape, shard } = weight;
    const rows = shard && { first: shard.firstRow, count: shape[0]! };
    yield* readFloatPieces(weights, { name: shard?.of.name ?? name, shape }, stored[dtype].dtype, rows?.first);
  }
}
