/**
 * @file A base model and an adapter -> the files of a model that has the adapter in its weights: W + scale B A, for DoRA each
 * row to its magnitude, in float32. Blocks of a quantized base become floats first, as training saw them.
 */
import { modelFolderFiles } from '../../adapter/modelFolder.ts';
import type { Adapter, LoraPair } from '../../adapter/readAdapter.ts';
import { tokenizerFolderFiles } from '../../adapter/tokenizerFolder.ts';
import { encodeFloats } from '../../formats/encodeFloats.ts';
import type { TensorToWrite } from '../../formats/writeSafetensors.ts';
import { checkFits } from '../../infer/adapterInputs.ts';
import { computeGain } from '../../infer/doraGain.ts';
import type { ParameterInfo } from '../../models/architecture.ts';
import { moduleOf } from '../../models/loraNames.ts';
import type { OpenModel } from '../../models/openedModel.ts';
import type { FileToWrite } from '../../train/stagedFolder.ts';
import { openModelText } from '../prepare/openModelText.ts';
import { checkWeights, readArchitecture } from '../prepare/readArchitecture.ts';

/** No host has to hold more than this of a table at once. */
const maxPieceBytes = 64 * 2 ** 20;

/** Weights are read when they are written: `base` stays open until then. @throws TuneError `adapter-invalid`, `model-invalid` */
export function mergeAdapter(base: OpenModel, adapter: Adapter): FileToWrite[] {
  const model = readArchitecture(base);
  checkWeights(base, model);
  checkFits(adapter, model);
  const { embedding, layers, finalNorm, head } = model.architecture.describeParameters(model.config);
  const parameters = [...new Set([embedding, ...layers.flat(), finalNorm, head])];
  const pairs = new Map(adapter.pairs.map(pair => [pair.module, pair]));
  const saved = new Map(adapter.saved.map(({ name, data }) => [name, data]));
  const tensors = parameters.map((parameter): TensorToWrite => {
    const { name, shape } = parameter;
    const pair = parameter.kind === 'linear' ? pairs.get(moduleOf(parameter)) : undefined;
    const own = saved.get(name);
    const readPieces = () => {
      if (own !== undefined) return [encodeFloats(own, 'F32')];
      if (pair === undefined) return readRows(base, parameter);
      return [encodeFloats(addPair(base.weights.readFloat32(name).slice(), pair), 'F32')];
    };
    return { name, dtype: 'F32', shape, readPieces };
  });
  return [
    ...modelFolderFiles(tensors, base.config, base.generationConfig),
    ...tokenizerFolderFiles(base.tokenizer, openModelText(base).template.text),
  ];
}

function* readRows({ weights }: OpenModel, { name, shape }: ParameterInfo): Generator<Uint8Array> {
  const [rows, width = 1] = shape as [number, number?];
  const step = shape.length === 2 ? Math.max(1, Math.floor(maxPieceBytes / (4 * width))) : rows;
  if (step >= rows) {
    yield encodeFloats(weights.readFloat32(name), 'F32');
    return;
  }
  for (let row = 0; row < rows; row += step) {
    yield encodeFloats(weights.readFloat32Rows(name, row, Math.min(step, rows - row)), 'F32');
  }
}

/** weight [out, in] is changed in place. */
function addPair(weight: Float32Array, pair: LoraPair): Float32Array {
  const { a, b, rank, scale, inputSize, outputSize, magnitude } = pair;
  const gain = magnitude && computeGain(weight, pair, magnitude);
  const row = new Float64Array(inputSize);
  for (let out = 0; out < outputSize; out++) {
    const start = out * inputSize;
    for (let i = 0; i < inputSize; i++) row[i] = weight[start + i]!;
    for (let r = 0; r < rank; r++) {
      const factor = scale * b[out * rank + r]!;
      const from = r * inputSize;
      for (let i = 0; i < inputSize; i++) row[i]! += factor * a[from + i]!;
    }
    const length = gain?.[out] ?? 1;
    for (let i = 0; i < inputSize; i++) weight[start + i] = length * row[i]!;
  }
  return weight;
}
