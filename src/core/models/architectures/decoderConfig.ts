/** @file What the config.json of every decoder says alike: its dimensions, and which layers see a window. */
import type { LayerAttention, ModelConfig } from '../architecture.ts';
import {
  type ConfigJson,
  invalidConfig,
  readCount,
  readFlag,
  readPositive,
  unsupportedConfig,
} from '../readConfigFields.ts';
import { readRope } from '../readRope.ts';

export interface DecoderDefaults {
  readonly modelType: string;
  readonly keyValueHeads?: number | undefined;
  readonly headSize?: number | undefined;
  readonly normEpsilon?: number | undefined;
  readonly ropeTheta?: number | undefined;
  readonly maxContextTokens?: number | undefined;
  readonly tiedEmbeddings?: boolean | undefined;
  /** Some elements of a head may stay unturned. */
  readonly hasPartialRope?: boolean | undefined;
}

/**
 * The config of a plain decoder: full attention in every layer, one rope, no biases. Architectures lay what differs over it.
 * @param defaults what transformers takes where config.json is silent
 */
export function readDecoderConfig(json: ConfigJson, defaults: DecoderDefaults): ModelConfig {
  const heads = readCount(json, 'num_attention_heads');
  const hiddenSize = readCount(json, 'hidden_size');
  const keyValueHeads = readCount(json, 'num_key_value_heads', defaults.keyValueHeads ?? heads);
  if (heads % keyValueHeads !== 0) {
    throw invalidConfig('num_key_value_heads', `a divisor of num_attention_heads (${heads})`, keyValueHeads);
  }
  const headSize = readCount(json, 'head_dim', defaults.headSize ?? hiddenSize / heads);
  if (headSize % 2 !== 0) throw invalidConfig('head_dim', 'an even number', headSize);
  const layers = readCount(json, 'num_hidden_layers');
  return {
    modelType: defaults.modelType,
    vocabularySize: readCount(json, 'vocab_size'),
    hiddenSize,
    feedForwardSize: readCount(json, 'intermediate_size'),
    layers,
    heads,
    keyValueHeads,
    headSize,
    normEpsilon: readPositive(json, 'rms_norm_eps', defaults.normEpsilon ?? 1e-6),
    embeddingScale: 1,
    layerAttention: Array.from({ length: layers }, () => ({ rope: 'global' })),
    rope: readRope(json, { headSize, defaultTheta: defaults.ropeTheta, mayBePartial: defaults.hasPartialRope }),
    attentionFactor: 1 / Math.sqrt(headSize),
    maxContextTokens: readCount(json, 'max_position_embeddings', defaults.maxContextTokens ?? 2048),
    tiedEmbeddings: readFlag(json, 'tie_word_embeddings', defaults.tiedEmbeddings ?? false),
    biasedModules: [],
  };
}

/** @throws TuneError `model-unsupported` when the feed-forward's activation is another */
export function requireActivation(json: ConfigJson, field: string, expected: string): void {
  const activation = json[field] ?? expected;
  if (activation !== expected) throw unsupportedConfig(field, expected, activation);
}

/** The tokens of the sliding window, undefined for none. */
export function readWindow(json: ConfigJson, field = 'sliding_window'): number | undefined {
  return (json[field] ?? undefined) === undefined ? undefined : readCount(json, field);
}

/**
 * Which layers see a window only, by `layer_types`.
 * @param fallback says it of a layer where the config has no such list
 */
export function readSlidingLayers(json: ConfigJson, layers: number, fallback: (layer: number) => boolean): boolean[] {
  const types = json.layer_types ?? undefined;
  if (types === undefined) return Array.from({ length: layers }, (_, layer) => fallback(layer));
  if (!Array.isArray(types) || types.length !== layers) {
    throw invalidConfig('layer_types', `a list of ${layers} kinds of attention`, types);
  }
  return types.map(type => {
    if (type === 'sliding_attention') return true;
    if (type === 'full_attention') return false;
    throw unsupportedConfig('layer_types', 'of full_attention and sliding_attention', type);
  });
}

/** Full attention, or a window where a layer has one. */
export function describeWindows(slidingLayers: readonly boolean[], windowTokens: number | undefined): LayerAttention[] {
  return slidingLayers.map(isSliding =>
    isSliding && windowTokens !== undefined ? { rope: 'global', windowTokens } : { rope: 'global' },
  );
}
