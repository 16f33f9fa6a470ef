/**
 * @file A model and a recipe -> the memory that the PyTorch engine needs for it, on the processor or on one graphics card:
 * counted by what PEFT and Transformers' models keep for the backward pass, beside constants measured on processors
 * (`npm run bench:forecast -- --engine pytorch`). On graphics cards the same counts hold; their constants are not measured.
 */
import type { Hyperparameters } from '../../shared/hyperparameters.ts';
import type { ModelConfig, ParameterInfo } from '../models/architecture.ts';
import { chooseTrainable } from '../models/chooseTrainable.ts';
import type { Model } from '../models/findArchitecture.ts';
import { countBatchRows } from '../text/pairBatches.ts';
import { countElements } from './engineTensors.ts';

export interface PytorchPlace {
  /** What it computes on. */
  readonly device: 'cpu' | 'cuda' | 'rocm' | 'mps';
}

export interface PytorchForecast {
  /** Of one process: of the device that it computes on, which on a processor is the machine's memory. */
  readonly processBytes: number;
  readonly weightsBytes: number;
  readonly trainableBytes: number;
  readonly activationsBytes: number;
  readonly runtimeBytes: number;
}

const mebibyte = 2 ** 20;
/** Python with PyTorch, Transformers, PEFT and TRL loaded, or a card's context. */
const runtimeBytes = { cpu: 620 * mebibyte, card: 700 * mebibyte };
/** What the allocator holds over what is alive. */
const overhead = { cpu: 1.28, card: 1.1 };
/** Columns of the vocabulary and tokens that TRL's head multiplies at a time. */
const headTile = { columns: 32_768, tokens: 4096 };
/** Of that tile in float32: on its way back it is ten tensors on a processor; compiled kernels of cards need no copies. */
const tileCopies = { cpu: 9.5, card: 1 };

export function forecastPytorch(model: Model, settings: Hyperparameters, { device }: PytorchPlace): PytorchForecast {
  const where = device === 'cpu' ? 'cpu' : 'card';
  const isFull = settings.method === 'full';
  const computeBytes = bytesOf(settings.precision, device);
  const { embedding, layers, finalNorm, head } = model.architecture.describeParameters(model.config);
  const weights = [...new Set([embedding, ...layers.flat(), finalNorm, head])];
  const { targets, whole } = chooseTrainable(model, settings);
  const processes = countSharers(settings);

  const heldBytes = weights.reduce((sum, weight) => sum + countHeldBytes(weight, settings, computeBytes), 0);
  // Autocast keeps a copy of every weight that it rounds until the step's forward pass is over.
  const castBytes = isFull && computeBytes < 4 ? computeBytes * countAll(weights) : 0;
  const wholeElements = countAll(whole);
  const adapterElements = targets.reduce((sum, { shape: [out, inner] }) => {
    return sum + settings.rank * (out! + inner! + (settings.adaLora ? 1 : 0)) + (settings.dora ? out! : 0);
  }, 0);
  const trained = wholeElements + adapterElements;
  // Gradients and two moments; adapters beside the weights, modules trained whole as copies of theirs.
  const ownBytes = isFull ? 0 : 4 * trained;
  const gradientBytes = 4 * trained;
  const momentBytes = 8 * trained;

  const tokens = countBatchRows(settings) * settings.contextTokens;
  const activationsBytes = countActivations(model, settings, { tokens, computeBytes, targets, where });
  const stepBytes =
    overhead[where] * (activationsBytes + countDequantized(layers, settings, computeBytes, where)) + gradientBytes;
  // On the way to disk all that is trained lies there three times: as values and moments, and as the bytes of a file.
  const savedBytes = where === 'cpu' ? 4 * 6 * trained : 0;
  const processBytes =
    (heldBytes + ownBytes + momentBytes) / processes +
    Math.max(stepBytes + castBytes, savedBytes) +
    runtimeBytes[where];
  return {
    processBytes,
    weightsBytes: heldBytes,
    trainableBytes: ownBytes + gradientBytes + momentBytes,
    activationsBytes,
    runtimeBytes: runtimeBytes[where],
  };
}

/** As `choose_precision` of the engine. */
function bytesOf(precision: Hyperparameters['precision'], device: PytorchPlace['device']): number {
  if (precision === 'auto') return device === 'cuda' || device === 'rocm' ? 2 : 4;
  return precision === 'float32' ? 4 : 2;
}

/** Processes that share what is held, rather than each holding all of it. */
function countSharers({ launcher, sharding, processes, hosts }: Hyperparameters): number {
  return launcher === 'python' || sharding === 'none' ? 1 : processes * hosts;
}

/** Half a byte and a scale for each 64 weights (NF4), a byte and a scale a row (LLM.int8()), or what is computed with. */
function countHeldBytes(weight: ParameterInfo, { method, baseWeights }: Hyperparameters, computeBytes: number): number {
  const elements = countElements(weight.shape);
  if (method === 'full') return 4 * elements;
  if (weight.kind === 'linear' && baseWeights === '4bit') return elements * (0.5 + 4 / 64);
  if (weight.kind === 'linear' && baseWeights === '8bit') return elements + 4 * weight.shape[0]!;
  return computeBytes * elements;
}

/** Weights become floats for their product; on a processor they are kept so for the way back. */
function countDequantized(
  layers: readonly (readonly ParameterInfo[])[],
  { method, baseWeights, gradientCheckpointing }: Hyperparameters,
  computeBytes: number,
  where: 'cpu' | 'card',
): number {
  if (method === 'full' || (baseWeights !== '4bit' && baseWeights !== '8bit')) return 0;
  const linears = layers.map(layer => layer.filter(({ kind }) => kind === 'linear'));
  if (where === 'cpu') {
    return computeBytes * (gradientCheckpointing ? countAll(linears[0]!) : countAll(linears.flat()));
  }
  return 2 * computeBytes * Math.max(...linears.flat().map(({ shape }) => countElements(shape)));
}

interface Shape {
  readonly tokens: number;
  readonly computeBytes: number;
  readonly targets: readonly ParameterInfo[];
  readonly where: 'cpu' | 'card';
}

/** What a step keeps from the forward pass, with the widest tensors of the pass back. */
function countActivations(
  { config, architecture }: Model,
  settings: Hyperparameters,
  { tokens, computeBytes, targets, where }: Shape,
): number {
  const { layers, hiddenSize, feedForwardSize, vocabularySize } = config;
  const linears = architecture.describeParameters(config).layers[0]!.filter(({ kind }) => kind === 'linear');
  const adapted = settings.method === 'full' ? linears.length * layers : targets.length;
  const share = adapted / (linears.length * layers);
  const kept = computeBytes * tokens * countKeptPerToken(config, settings, share);
  // A mask of who sees whom, because rows are packed: one for all layers, which the processor's kernel turns into floats in each.
  const rows = tokens / settings.contextTokens;
  const mask = rows * settings.contextTokens ** 2 * (where === 'cpu' ? computeBytes : 1);
  const busy = computeBytes * tokens * (4 * feedForwardSize + 4 * hiddenSize);
  const tile = Math.min(tokens, headTile.tokens) * Math.min(vocabularySize, headTile.columns);
  const logits =
    settings.objective === 'distill'
      ? 4 * 4 * tokens * vocabularySize
      : 4 * tileCopies[where] * tile + 4 * tokens * hiddenSize;
  const held = settings.gradientCheckpointing
    ? layers * computeBytes * tokens * hiddenSize + kept + mask
    : layers * (kept + (where === 'cpu' ? mask : 0)) + mask;
  return held + Math.max(busy, logits);
}

/** Numbers a token that one layer keeps: two residuals and their norms, q, k, v as attention reads them, its output, and the four of the MLP. */
function countKeptPerToken(
  { hiddenSize, feedForwardSize, heads, headSize }: ModelConfig,
  { rank, dora, dropout, method }: Hyperparameters,
  share: number,
): number {
  const attention = heads * headSize;
  const read = 2 * hiddenSize + attention + feedForwardSize;
  const always = 2 * hiddenSize + 4 * attention + 3 * feedForwardSize;
  const ofNorms = method === 'full' ? 2 * hiddenSize : 0;
  // Each adapter's inner values; dropped-out inputs are the layer's own, DoRA's outputs are kept before their gain.
  const adapters = method === 'full' ? 0 : share * 7 * rank;
  const outputs = 2 * attention + 2 * feedForwardSize + 2 * hiddenSize;
  const gained = dora ? 2 * share * outputs : 0;
  const dropped = dropout > 0 && method === 'lora' ? share * 2 * (5 * hiddenSize + attention + feedForwardSize) : 0;
  return always + share * read + ofNorms + adapters + gained + dropped;
}

function countAll(weights: readonly ParameterInfo[]): number {
  return weights.reduce((sum, { shape }) => sum + countElements(shape), 0);
}
