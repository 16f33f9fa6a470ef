/** @file The parameters of a decoder in the order of a forward pass: what all architectures name alike. */
import type { ModelConfig, ModelParameters, ParameterInfo } from '../architecture.ts';

/** Embedding, layers, final norm and head. @param describeLayer the parameters of a layer under its prefix */
export function describeDecoder(
  config: ModelConfig,
  describeLayer: (config: ModelConfig, prefix: string) => readonly ParameterInfo[],
): ModelParameters {
  const { hiddenSize, vocabularySize, tiedEmbeddings } = config;
  const table = [vocabularySize, hiddenSize];
  const embedding: ParameterInfo = { name: 'model.embed_tokens.weight', shape: table, kind: 'embedding' };
  return {
    embedding,
    layers: Array.from({ length: config.layers }, (_, layer) => describeLayer(config, `model.layers.${layer}`)),
    finalNorm: describeNorm('model.norm', hiddenSize),
    head: tiedEmbeddings ? embedding : { name: 'lm_head.weight', shape: table, kind: 'head' },
  };
}

export function describeNorm(module: string, size: number): ParameterInfo {
  return { name: `${module}.weight`, shape: [size], kind: 'norm' };
}

/** A linear layer's weight, and its bias where the config gives it one. */
export function describeLinear(config: ModelConfig, module: string, out: number, inner: number): ParameterInfo[] {
  const weight: ParameterInfo = { name: `${module}.weight`, shape: [out, inner], kind: 'linear' };
  const isBiased = config.biasedModules.includes(module.slice(module.lastIndexOf('.') + 1));
  return isBiased ? [weight, { name: `${module}.bias`, shape: [out], kind: 'bias' }] : [weight];
}

/** q_proj, k_proj, v_proj and, under `norms`, what normalises queries and keys; then o_proj. */
export function describeAttention(
  config: ModelConfig,
  prefix: string,
  norms: readonly ParameterInfo[] = [],
): ParameterInfo[] {
  const { hiddenSize, heads, keyValueHeads, headSize } = config;
  const module = (name: string): string => `${prefix}.self_attn.${name}`;
  return [
    ...describeLinear(config, module('q_proj'), heads * headSize, hiddenSize),
    ...describeLinear(config, module('k_proj'), keyValueHeads * headSize, hiddenSize),
    ...describeLinear(config, module('v_proj'), keyValueHeads * headSize, hiddenSize),
    ...norms,
    ...describeLinear(config, module('o_proj'), hiddenSize, heads * headSize),
  ];
}

/** gate_proj, up_proj and down_proj. */
export function describeGatedMlp(config: ModelConfig, prefix: string): ParameterInfo[] {
  const { hiddenSize, feedForwardSize } = config;
  return [
    ...describeLinear(config, `${prefix}.mlp.gate_proj`, feedForwardSize, hiddenSize),
    ...describeLinear(config, `${prefix}.mlp.up_proj`, feedForwardSize, hiddenSize),
    ...describeLinear(config, `${prefix}.mlp.down_proj`, hiddenSize, feedForwardSize),
  ];
}
