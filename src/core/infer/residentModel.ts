/**
 * @file An opened model -> what stays in memory to answer questions: one copy of its weights as graph inputs, its
 * tokenizer and its chat template. Decoding and evaluation of the base and of every adapter read the same copy.
 */
import { setImmediate } from 'node:timers/promises';
import { type Model, readModel } from '../models/findArchitecture.ts';
import { moduleOf } from '../models/loraNames.ts';
import { nameFile } from '../models/nameFile.ts';
import type { OpenModel } from '../models/openedModel.ts';
import {
  findPackedForms,
  listPackedArrays,
  type PackedArray,
  type PackedForms,
  readPackedMatrix,
} from '../models/packedWeights.ts';
import { listWeightTensors, readParameterTensor } from '../models/parameterTensors.ts';
import { countAnswerableTokens } from '../models/ropeInputs.ts';
import { makeTensor, type RuntimeTensor } from '../runtime/tensor.ts';
import { type ChatTemplate, createChatTemplate } from '../text/chatTemplate.ts';
import { createTokenizer, type TextTokenizer } from '../text/tokenizer.ts';

export interface ResidentModel {
  /** As the user named it. */
  readonly id: string;
  readonly path: string;
  readonly model: Model;
  readonly tokenizer: TextTokenizer;
  readonly template: ChatTemplate;
  /** The most tokens that a prompt and its answer may have together. */
  readonly contextTokens: number;
  /** float32, by the graphs' input names; without those that are packed. */
  readonly weights: Readonly<Record<string, RuntimeTensor>>;
  /** Weights that stay in quantized blocks as they are stored. */
  readonly packed?: PackedWeights | undefined;
}

export interface PackedWeights {
  readonly forms: PackedForms;
  /** Taken by the decoding session, which has its own copy then; gone afterwards. */
  arrays: readonly PackedArray[];
  /** [out, in / block] by module: what blocks of linear layers have added, fed with adapters. */
  readonly offsets: ReadonlyMap<string, Float32Array>;
}

/**
 * `stored` (default) leaves weights that are stored in quantized blocks as they are, which decodes fastest in the least
 * memory; `float` computes with their values in float32, as evaluation does.
 */
export type WeightsKept = 'stored' | 'float';

export interface LoadOptions {
  readonly weights?: WeightsKept | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads the weights; other work of the process gets a turn between two of them. `opened` may be closed afterwards.
 * @throws TuneError `model-invalid`, `model-unsupported`, `tokenizer-invalid`, `template-invalid`; AbortError when cancelled
 */
export async function loadResidentModel(opened: OpenModel, options: LoadOptions = {}): Promise<ResidentModel> {
  const model = nameFile(opened.path, () => readModel({ ...opened.config, model_type: opened.modelType }));
  const { config } = model;
  const tokenizer = createTokenizer(opened.tokenizer);
  const specialTokens = [...tokenizer.specialTokens.keys()];
  const template = createChatTemplate({ config: opened.tokenizer.tokenizerConfig, specialTokens });
  const parameters = listWeightTensors(model);
  const forms = options.weights === 'float' ? new Map() : findPackedForms(model, opened.weights);
  const weights: Record<string, RuntimeTensor> = {};
  const arrays: PackedArray[] = [];
  const offsets = new Map<string, Float32Array>();
  for (const [index, parameter] of parameters.entries()) {
    options.onProgress?.(index, parameters.length);
    await setImmediate();
    options.signal?.throwIfAborted();
    if (forms.has(parameter.name)) {
      const matrix = readPackedMatrix(opened.weights, parameter, opened.path);
      arrays.push(...listPackedArrays(parameter, matrix));
      if (matrix.offsets && parameter.kind === 'linear') offsets.set(moduleOf(parameter), matrix.offsets);
    } else {
      const values = readParameterTensor(opened.weights, parameter, opened.path);
      weights[parameter.name] = makeTensor('float32', values, parameter.shape);
    }
  }
  options.onProgress?.(parameters.length, parameters.length);
  const { id, path } = opened;
  const packed = forms.size === 0 ? undefined : { forms, arrays, offsets };
  return { id, path, model, tokenizer, template, contextTokens: countAnswerableTokens(config), weights, packed };
}
