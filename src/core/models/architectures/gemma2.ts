/**
 * @file The Gemma 2 architecture: norms before and behind attention and feed-forward, each with its weight's distance from
 * 1 stored; GELU gates; a window in every other layer; capped attention scores and logits; embeddings scaled by sqrt(C).
 * Follows transformers' modeling_gemma2.py.
 * @see https://github.com/huggingface/transformers/blob/main/src/transformers/models/gemma2/modeling_gemma2.py
 */
import type { Value } from '../../graph/graph.ts';
import { add } from '../../graph/operations/elementwise.ts';
import { gatedGelu } from '../../graph/operations/gatedActivation.ts';
import { rmsNorm } from '../../graph/operations/rmsNorm.ts';
import { gatedMlp } from '../../nn/gatedMlp.ts';
import type { Architecture, ModelConfig, ModelContext, ParameterInfo } from '../architecture.ts';
import { type ConfigJson, readFlag, readPositive, unsupportedConfig } from '../readConfigFields.ts';
import {
  type DecoderDefaults,
  describeWindows,
  readDecoderConfig,
  readSlidingLayers,
  readWindow,
  requireActivation,
} from './decoderConfig.ts';
import { describeAttention, describeDecoder, describeGatedMlp, describeNorm } from './decoderParameters.ts';

export const gemma2: Architecture = {
  modelType: 'gemma2',
  readConfig,
  describeParameters: config => describeDecoder(config, (all, prefix) => describeGemmaLayer(all, prefix)),
  buildLayer: (context, layer, hidden, selectRows) => buildGemmaLayer(context, layer, hidden, selectRows),
  buildFinalNorm: buildGemmaFinalNorm,
};

function readConfig(json: ConfigJson): ModelConfig {
  const config = readGemmaConfig(json, { modelType: 'gemma2', maxContextTokens: 8192 });
  const window = readWindow({ sliding_window: 4096, ...json });
  const sliding = readSlidingLayers(json, config.layers, layer => layer % 2 === 0);
  return {
    ...config,
    layerAttention: describeWindows(sliding, window),
    attentionSoftcap: readCap({ attn_logit_softcapping: 50, ...json }, 'attn_logit_softcapping'),
    logitSoftcap: readCap({ final_logit_softcapping: 30, ...json }, 'final_logit_softcapping'),
  };
}

/** What Gemma 2 and 3 have in common. */
export function readGemmaConfig(json: ConfigJson, defaults: DecoderDefaults): ModelConfig {
  requireActivation(json, 'hidden_activation', 'gelu_pytorch_tanh');
  if (readFlag(json, 'use_bidirectional_attention', false)) {
    throw unsupportedConfig('use_bidirectional_attention', 'false', true);
  }
  const config = readDecoderConfig(json, { keyValueHeads: 4, headSize: 256, tiedEmbeddings: true, ...defaults });
  const hasBias = readFlag(json, 'attention_bias', false);
  return {
    ...config,
    embeddingScale: Math.sqrt(config.hiddenSize),
    attentionFactor: 1 / Math.sqrt(readPositive(json, 'query_pre_attn_scalar', 256)),
    biasedModules: hasBias ? ['q_proj', 'k_proj', 'v_proj', 'o_proj'] : [],
  };
}

/** A cap of scores or logits, undefined for none. */
export function readCap(json: ConfigJson, field: string): number | undefined {
  return (json[field] ?? undefined) === undefined ? undefined : readPositive(json, field);
}

/** @param headNorms the module's norms of queries and keys, where it has them */
export function describeGemmaLayer(
  config: ModelConfig,
  prefix: string,
  headNorms: readonly ParameterInfo[] = [],
): ParameterInfo[] {
  const norm = (module: string): ParameterInfo => describeNorm(`${prefix}.${module}`, config.hiddenSize);
  return [
    norm('input_layernorm'),
    ...describeAttention(config, prefix, headNorms),
    norm('post_attention_layernorm'),
    norm('pre_feedforward_layernorm'),
    ...describeGatedMlp(config, prefix),
    norm('post_feedforward_layernorm'),
  ];
}

/** @param normHeads what is done to queries and keys before they are turned, given their norm's module */
export function buildGemmaLayer(
  context: ModelContext,
  layer: number,
  hidden: Value,
  selectRows = (x: Value): Value => x,
  normHeads = (x: Value, _module: string): Value => x,
): Value {
  const prefix = `model.layers.${layer}`;
  const norm = (module: string, x: Value): Value =>
    rmsNorm(x, readNormWeight(context, `${prefix}.${module}`), context.config.normEpsilon);
  const modules = ['q_proj', 'k_proj', 'v_proj'].map(name => `${prefix}.self_attn.${name}`);
  const [q, k, v] = context.project(modules, norm('input_layernorm', hidden));
  const attended = context.attend(
    layer,
    normHeads(q!, `${prefix}.self_attn.q_norm`),
    normHeads(k!, `${prefix}.self_attn.k_norm`),
    v!,
  ); // [M, H*D]
  const [output] = context.project([`${prefix}.self_attn.o_proj`], selectRows(attended)); // [N, C]
  const afterAttention = add(selectRows(hidden), norm('post_attention_layernorm', output!));
  const fed = gatedMlp(context, `${prefix}.mlp`, norm('pre_feedforward_layernorm', afterAttention), gatedGelu);
  return add(afterAttention, norm('post_feedforward_layernorm', fed));
}

export function buildGemmaFinalNorm(context: ModelContext, hidden: Value): Value {
  return rmsNorm(hidden, readNormWeight(context, 'model.norm'), context.config.normEpsilon);
}

/** What a norm multiplies by: 1 more than what is stored. */
export function readNormWeight(context: ModelContext, module: string): Value {
  const stored = context.parameter(`${module}.weight`);
  return add(stored, stored.graph.scalar(1));
}
