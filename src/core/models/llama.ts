/**
 * @file The Llama architecture: Llama 2 and 3, TinyLlama, SmolLM2 and their like. Written once; training, evaluation and
 * decoding graphs differ only in the context they bring. Follows transformers' modeling_llama.py.
 * @see https://github.com/huggingface/transformers/blob/main/src/transformers/models/llama/modeling_llama.py
 */
import type { Value } from '../graph/graph.ts';
import { add } from '../graph/operations/elementwise.ts';
import { rmsNorm } from '../graph/operations/rmsNorm.ts';
import { gatedMlp } from '../nn/gatedMlp.ts';
import type { Architecture, ModelConfig, ModelContext, ModelParameters, ParameterInfo } from './architecture.ts';
import {
  type ConfigJson,
  invalidConfig,
  readCount,
  readFlag,
  readPositive,
  readRope,
  unsupportedConfig,
} from './readConfigFields.ts';

export const llama: Architecture = {
  modelType: 'llama',
  readConfig,
  describeParameters,
  buildLayer,
  buildFinalNorm: (context, hidden) =>
    rmsNorm(hidden, context.parameter('model.norm.weight'), context.config.normEpsilon),
};

function readConfig(json: ConfigJson): ModelConfig {
  const heads = readCount(json, 'num_attention_heads');
  const hiddenSize = readCount(json, 'hidden_size');
  const keyValueHeads = readCount(json, 'num_key_value_heads', heads);
  if (heads % keyValueHeads !== 0) {
    throw invalidConfig('num_key_value_heads', `a divisor of num_attention_heads (${heads})`, keyValueHeads);
  }
  const headSize = readCount(json, 'head_dim', hiddenSize / heads);
  if (headSize % 2 !== 0) throw invalidConfig('head_dim', 'an even number', headSize);
  const activation = json.hidden_act ?? 'silu';
  if (activation !== 'silu') throw unsupportedConfig('hidden_act', 'silu', activation);
  return {
    modelType: 'llama',
    vocabularySize: readCount(json, 'vocab_size'),
    hiddenSize,
    feedForwardSize: readCount(json, 'intermediate_size'),
    layers: readCount(json, 'num_hidden_layers'),
    heads,
    keyValueHeads,
    headSize,
    normEpsilon: readPositive(json, 'rms_norm_eps', 1e-6),
    rope: readRope(json),
    maxContextTokens: readCount(json, 'max_position_embeddings', 2048),
    tiedEmbeddings: readFlag(json, 'tie_word_embeddings', false),
    attentionBias: readFlag(json, 'attention_bias', false),
    mlpBias: readFlag(json, 'mlp_bias', false),
  };
}

function describeParameters(config: ModelConfig): ModelParameters {
  const { hiddenSize, vocabularySize, tiedEmbeddings } = config;
  const embedding: ParameterInfo = {
    name: 'model.embed_tokens.weight',
    shape: [vocabularySize, hiddenSize],
    kind: 'embedding',
  };
  return {
    embedding,
    layers: Array.from({ length: config.layers }, (_, layer) => describeLayer(config, `model.layers.${layer}`)),
    finalNorm: { name: 'model.norm.weight', shape: [hiddenSize], kind: 'norm' },
    head: tiedEmbeddings ? embedding : { name: 'lm_head.weight', shape: [vocabularySize, hiddenSize], kind: 'head' },
  };
}

function describeLayer(config: ModelConfig, layer: string): ParameterInfo[] {
  const { hiddenSize, feedForwardSize, heads, keyValueHeads, headSize, attentionBias, mlpBias } = config;
  const linearParameters = (module: string, out: number, inner: number, hasBias: boolean): ParameterInfo[] => {
    const weight: ParameterInfo = { name: `${layer}.${module}.weight`, shape: [out, inner], kind: 'linear' };
    return hasBias ? [weight, { name: `${layer}.${module}.bias`, shape: [out], kind: 'bias' }] : [weight];
  };
  const norm = (module: string): ParameterInfo => ({
    name: `${layer}.${module}.weight`,
    shape: [hiddenSize],
    kind: 'norm',
  });
  return [
    norm('input_layernorm'),
    ...linearParameters('self_attn.q_proj', heads * headSize, hiddenSize, attentionBias),
    ...linearParameters('self_attn.k_proj', keyValueHeads * headSize, hiddenSize, attentionBias),
    ...linearParameters('self_attn.v_proj', keyValueHeads * headSize, hiddenSize, attentionBias),
    ...linearParameters('self_attn.o_proj', hiddenSize, heads * headSize, attentionBias),
    norm('post_attention_layernorm'),
    ...linearParameters('mlp.gate_proj', feedForwardSize, hiddenSize, mlpBias),
    ...linearParameters('mlp.up_proj', feedForwardSize, hiddenSize, mlpBias),
    ...linearParameters('mlp.down_proj', hiddenSize, feedForwardSize, mlpBias),
  ];
}

function buildLayer(context: ModelContext, layer: number, hidden: Value, selectRows = (x: Value): Value => x): Value {
  const { normEpsilon } = context.config;
  const prefix = `model.layers.${layer}`;
  const attended = buildAttention(
    context,
    layer,
    rmsNorm(hidden, context.parameter(`${prefix}.input_layernorm.weight`), normEpsilon),
  );
  const [output] = context.project([`${prefix}.self_attn.o_proj`], selectRows(attended)); // [N, C]
  const afterAttention = add(selectRows(hidden), output!);
  const normalized = rmsNorm(
    afterAttention,
    context.parameter(`${prefix}.post_attention_layernorm.weight`),
    normEpsilon,
  );
  return add(afterAttention, gatedMlp(context, `${prefix}.mlp`, normalized));
}

/** The heads' outputs, before the output projection: x [M, C] -> [M, H*D] */
function buildAttention(context: ModelContext, layer: number, x: Value): Value {
  const modules = ['q_proj', 'k_proj', 'v_proj'].map(name => `model.layers.${layer}.self_attn.${name}`);
  const [q, k, v] = context.project(modules, x);
  return context.attend(layer, q!, k!, v!);
}
