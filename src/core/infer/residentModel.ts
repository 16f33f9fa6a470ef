/**
 * @file An opened model -> what stays in memory to answer questions: one copy of its weights as graph inputs, its
 * tokenizer and its chat template. Decoding and evaluation of the base and of every adapter read the same copy.
 */
import { setImmediate } from 'node:timers/promises';
import { type Model, readModel } from '../models/findArchitecture.ts';
import { nameFile } from '../models/nameFile.ts';
import type { OpenModel } from '../models/openedModel.ts';
import { listWeightTensors, readParameterTensor } from '../models/parameterTensors.ts';
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
  /** float32, by the graphs' input names. */
  readonly weights: Readonly<Record<string, RuntimeTensor>>;
}

export interface LoadOptions {
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
  const weights: Record<string, RuntimeTensor> = {};
  for (const [index, parameter] of parameters.entries()) {
    options.onProgress?.(index, parameters.length);
    await setImmediate();
    options.signal?.throwIfAborted();
    weights[parameter.name] = makeTensor(
      'float32',
      readParameterTensor(opened.weights, parameter, opened.path),
      parameter.shape,
    );
  }
  options.onProgress?.(parameters.length, parameters.length);
  const { id, path } = opened;
  return { id, path, model, tokenizer, template, contextTokens: config.maxContextTokens, weights };
}
