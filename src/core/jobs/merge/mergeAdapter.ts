/** @file A base model and an adapter -> the files of a model that has the adapter in its weights (see MergedTensors). */
import { MergedTensors } from '../../adapter/mergedTensors.ts';
import { modelFolderFiles } from '../../adapter/modelFolder.ts';
import type { Adapter } from '../../adapter/readAdapter.ts';
import { tokenizerFolderFiles } from '../../adapter/tokenizerFolder.ts';
import type { FloatDtype } from '../../formats/encodeFloats.ts';
import type { TensorSource } from '../../formats/tensorSource.ts';
import { checkFits } from '../../infer/adapterInputs.ts';
import { completeGenerationConfig } from '../../models/endTokens.ts';
import type { Model } from '../../models/findArchitecture.ts';
import { listParameters } from '../../models/listParameters.ts';
import type { OpenModel } from '../../models/openedModel.ts';
import { readFloatPieces } from '../../models/readFloatPieces.ts';
import type { FileToWrite } from '../../train/stagedFolder.ts';
import { openModelText } from '../prepare/openModelText.ts';
import { checkWeights, readArchitecture } from '../prepare/readArchitecture.ts';

/** Weights are read when they are written: `base` stays open until then. @throws TuneError `adapter-invalid`, `model-invalid` */
export function mergeAdapter(base: OpenModel, adapter: Adapter): FileToWrite[] {
  const model = readArchitecture(base);
  checkWeights(base, model);
  checkFits(adapter, model);
  const template = openModelText(base).template.text;
  return wholeModelFiles(base, model, new MergedTensors(base.weights, adapter), template, 'F32');
}

/** The files of a Hugging Face folder with these weights, in the base model's place. */
export function wholeModelFiles(
  base: OpenModel,
  model: Model,
  weights: TensorSource,
  chatTemplate: string,
  dtype: FloatDtype,
  shardBytes?: number,
): FileToWrite[] {
  const tensors = listParameters(model).map(parameter => ({
    name: parameter.name,
    dtype,
    shape: parameter.shape,
    readPieces: () => readFloatPieces(weights, parameter, dtype),
  }));
  return [
    ...modelFolderFiles(tensors, base.config, completeGenerationConfig(base), shardBytes),
    ...tokenizerFolderFiles(base.tokenizer, chatTemplate),
  ];
}
