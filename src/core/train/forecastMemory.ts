/**
 * @file A model and the shape of a run -> the memory that each engine needs: weights, what is trained, activations,
 * logits. A forecast by counting, for planning and pre-flight; the real peak is in metrics.jsonl.
 */
import type { ModelConfig, ParameterInfo } from '../models/architecture.ts';
import { chooseTrainable, type TrainableSettings } from '../models/chooseTrainable.ts';
import type { Model } from '../models/findArchitecture.ts';
import { moduleOf } from '../models/loraNames.ts';
import { chooseChunkRows } from '../models/lossHead.ts';
import { type ParameterTensor, splitTable } from '../models/parameterTensors.ts';
import { type BatchShape, chooseBlockTokens } from '../models/trainingContext.ts';
import { countWeightBytes, evaluatesFiner, formOf } from '../models/weightForm.ts';
import { countElements } from './engineTensors.ts';

export interface MemoryRequest extends BatchShape, TrainableSettings {
  /** With the forms of its frozen weights. */
  readonly model: Model;
  readonly rank: number;
  readonly dropout?: number | undefined;
  readonly dora?: boolean | undefined;
  readonly adaLora?: boolean | undefined;
  readonly samplePrompts?: readonly string[] | undefined;
  /** Share of the tokens that is supervised, as the data has it; default all of them. */
  readonly supervisedShare?: number | undefined;
}

export interface MemoryForecast {
  readonly weightsBytes: number;
  /** Gradients and the optimizer's moments; for LoRA the adapters themselves too. */
  readonly trainableBytes: number;
  readonly logitsBytes: number;
  /** Kept between forward and backward pass, by engine. */
  readonly activationsBytes: { readonly whole: number; readonly layered: number };
  /** What the sessions of held-out evaluation add, by engine. */
  readonly evaluationBytes: { readonly whole: number; readonly layered: number };
  /** What answering the sample prompts adds. */
  readonly samplingBytes: number;
  /** Node, ONNX Runtime and compiled graphs. */
  readonly runtimeBytes: number;
  readonly totalBytes: { readonly whole: number; readonly layered: number };
}

const floatBytes = 4;
/** Node, ONNX Runtime and this program. */
const processBytes = 160 * 2 ** 20;
/** A token of the vocabulary as the tokenizer has it. */
const tokenizerBytes = 700;
/** The compiled operators of one layer, training and evaluation together. */
const compiledLayerBytes = 1.2 * 2 ** 20;
/** What arenas hold over what is alive, between blocks of unequal size: more in one graph, where kept blocks stand in the way. */
const arenaOverhead = { whole: 1.2, layered: 1 };
/** The batch with the most supervised tokens over the mean. */
const supervisedSpread = 1.25;
/** The longest answer to a sample prompt. */
export const sampleAnswerTokens = 128;
/** Tokens of a prompt that run at a time. */
const promptChunkTokens = 256;

export function forecastMemory(request: MemoryRequest): MemoryForecast {
  const { model, batchRows, contextTokens } = request;
  const { config } = model;
  const { embedding, layers, finalNorm, head } = model.architecture.describeParameters(config);
  const weights = [...new Set([embedding, ...layers.flat(), finalNorm, head])];
  const tokens = batchRows * contextTokens;
  const share = Math.min(1, supervisedSpread * (request.supervisedShare ?? 1));
  const logitRows = Math.min(chooseChunkRows(config.vocabularySize, tokens), Math.ceil(share * tokens));
  const { targets, whole } = chooseTrainable(model, request);
  const headCopies = whole.some(({ name }) => name === head.name) ? 2 * countElements(head.shape) : 0;

  const weightsBytes = weights.reduce((total, weight) => total + countWeightBytes(weight, formOf(model, weight)), 0);
  const wholeElements = whole.reduce((total, { shape }) => total + countElements(shape), 0);
  const adapterElements = targets.reduce(
    (total, { shape: [out, inner] }) => total + request.rank * (out! + inner!) + (request.dora ? out! : 0),
    0,
  );
  // Gradient and two moments; adapters are not among the weights. AdaLoRA has two averages more.
  const trainableBytes = floatBytes * (3 * wholeElements + (request.adaLora ? 6 : 4) * adapterElements);
  const dropoutBytes = (request.dropout ?? 0) > 0 ? countDropoutBytes(targets, tokens) : 0;
  // Capped logits are held before and behind the cap, with its slope.
  const logitCopies = config.logitSoftcap === undefined ? 2 : 4;
  const copies = countFloatCopies(model, weights);
  const isInteger = [...(model.weightForms?.values() ?? [])].some(({ kind }) => kind === 'integer');
  // Rows as integers, and what they round away.
  const roundedBytes = isInteger ? floatBytes * tokens * 2 * (config.feedForwardSize + config.hiddenSize) : 0;
  const onlyLogitsBytes = floatBytes * logitCopies * logitRows * config.vocabularySize + copies.table;
  const logitsBytes = onlyLogitsBytes + floatBytes * headCopies;
  const hiddenBytes = floatBytes * tokens * config.hiddenSize;
  // DoRA keeps each output before its gain too.
  const gained = request.dora ? countOutputsPerLayer(targets, config) : 0;
  const keptBytes = floatBytes * tokens * (countKeptPerToken(model) + gained);
  const scoreBytes = floatBytes * tokens * countScoresPerToken(config, contextTokens);
  const busyBytes =
    floatBytes * tokens * (6 * config.feedForwardSize + 4 * config.hiddenSize) +
    scoreBytes +
    copies.linear +
    roundedBytes;
  const forwardBytes =
    Math.max(floatBytes * tokens * (3 * config.feedForwardSize + 2 * config.hiddenSize), 4 * hiddenBytes + scoreBytes) +
    copies.linear +
    roundedBytes;
  const evaluatesApart = dropoutBytes > 0 || evaluatesFiner(model.weightForms);
  const activationsBytes = {
    // The last layer goes on with the supervised tokens alone; its way back begins when the logits are gone.
    whole: (config.layers - 1 + share) * keptBytes + 3 * hiddenBytes + Math.max(logitsBytes, busyBytes) - logitsBytes,
    // Sessions take turns, but each keeps the arena that it once needed.
    layered: (config.layers + 5) * hiddenBytes + keptBytes + busyBytes + forwardBytes,
  };
  const evaluationBytes = {
    whole: Math.max(onlyLogitsBytes, forwardBytes),
    layered: onlyLogitsBytes + (evaluatesApart ? forwardBytes : 0),
  };
  const samplingBytes = countSamplingBytes(config, request.samplePrompts ?? []);
  const compiledLayers = { whole: config.layers, layered: 0 };
  const runtimeBytes = processBytes + tokenizerBytes * config.vocabularySize;
  const heldBytes = weightsBytes + trainableBytes + samplingBytes + dropoutBytes + runtimeBytes;
  const count = (shape: 'whole' | 'layered'): number =>
    heldBytes +
    compiledLayers[shape] * compiledLayerBytes +
    arenaOverhead[shape] * (logitsBytes + activationsBytes[shape] + evaluationBytes[shape]);
  return {
    weightsBytes,
    trainableBytes,
    logitsBytes,
    activationsBytes,
    evaluationBytes,
    samplingBytes,
    runtimeBytes,
    totalBytes: { whole: count('whole'), layered: count('layered') },
  };
}

/** Weights in blocks become floats for the product that reads them: of a layer's two, of a table's shards one, with their bytes. */
function countFloatCopies(
  model: Model,
  weights: readonly ParameterInfo[],
): { readonly linear: number; readonly table: number } {
  const inBlocks = weights.filter(weight => formOf(model, weight).kind === 'blocks');
  const largest = (tensors: readonly ParameterTensor[]): number =>
    (floatBytes + 1) * Math.max(0, ...tensors.map(({ shape }) => countElements(shape)));
  const tables = inBlocks.filter(({ kind }) => kind !== 'linear');
  return {
    linear: 2 * largest(inBlocks.filter(({ kind }) => kind === 'linear')),
    table: largest(tables.flatMap(table => splitTable(model, table))),
  };
}

function countOutputsPerLayer(targets: readonly ParameterInfo[], { layers }: ModelConfig): number {
  return targets.reduce((sum, { shape }) => sum + shape[0]!, 0) / layers;
}

/** A table of factors for each width, and a row number for each token and module. */
function countDropoutBytes(targets: readonly ParameterInfo[], tokens: number): number {
  const widths = new Set(targets.map(({ shape }) => shape[1]!));
  return floatBytes * tokens * ([...widths].reduce((sum, width) => sum + width, 0) + targets.length);
}

/**
 * Floats a token that one layer keeps for its backward pass: two residuals, q, k, v, the attention's output, gate and up;
 * where queries and keys or the layer's outputs are normalised, what they were before too.
 */
function countKeptPerToken({ architecture, config }: Model): number {
  const { hiddenSize, feedForwardSize, heads, keyValueHeads, headSize } = config;
  const norms = architecture
    .describeParameters(config)
    .layers[0]!.filter(({ kind }) => kind === 'norm')
    .map(moduleOf);
  const has = (end: string): boolean => norms.some(name => name.endsWith(end));
  const beforeNorms =
    (has('.q_norm') ? headSize * (heads + keyValueHeads) : 0) +
    (has('.post_feedforward_layernorm') ? 2 * hiddenSize : 0);
  return 2 * hiddenSize + 2 * headSize * (heads + keyValueHeads) + 2 * feedForwardSize + beforeNorms;
}

/** Floats a token of one block's scores, before and behind the softmax and on their way back. */
function countScoresPerToken(config: ModelConfig, contextTokens: number): number {
  const blockTokens = Math.min(contextTokens, chooseBlockTokens(contextTokens));
  const seen = Math.max(
    ...config.layerAttention.map(({ windowTokens = contextTokens }) =>
      Math.min(contextTokens, blockTokens + windowTokens),
    ),
  );
  const copies = config.attentionSoftcap === undefined ? 3 : 5;
  return (copies * config.heads * blockTokens * seen) / contextTokens;
}

/** Keys and values before and after a token, and what runs at a time. A token has at least one byte of its prompt. */
function countSamplingBytes(config: ModelConfig, samplePrompts: readonly string[]): number {
  if (samplePrompts.length === 0) return 0;
  const promptTokens = Math.max(...samplePrompts.map(prompt => Buffer.byteLength(prompt)));
  const tokens = Math.min(config.maxContextTokens, promptTokens + sampleAnswerTokens);
  const cached = 2 * 2 * config.layers * config.keyValueHeads * config.headSize * tokens;
  const busyPerToken = 2 * config.feedForwardSize + 4 * config.hiddenSize + config.heads * tokens;
  const busy = Math.min(promptChunkTokens, tokens) * busyPerToken + 3 * config.vocabularySize;
  return floatBytes * (cached + arenaOverhead.whole * busy);
}
