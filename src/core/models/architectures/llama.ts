/**
 * @file The Llama architecture: Llama 2 and 3, TinyLlama, SmolLM2 and their like. Written once; training, evaluation and
 * decoding graphs differ only in the context they bring. Follows transformers' modeling_llama.py.
 * @see https://github.com/huggingface/transformers/blob/main/src/transformers/models/llama/modeling_llama.py
 */
import type { Value } from '../../graph/graph.ts';
import { add } from '../../graph/operations/elementwise.ts';
import { rmsNorm } from '../../graph/operations/rmsNorm.ts';
import { gatedMlp } from '../../nn/gatedMlp.ts';
import type { Architecture, ModelConfig, ModelContext, ParameterInfo } from '../architecture.ts';
import { type ConfigJson, readFlag } from '../readConfigFields.ts';
import { readDecoderConfig, requireActivation } from './decoderConfig.ts';
import { describeAttention, describeDecoder, describeGatedMlp, describeNorm } from './decoderParameters.ts';

export const llama: Architecture = {
  modelType: 'llama',
  readConfig,
  describeParameters: config => describeDecoder(config, describeLayer),
  buildLayer,
  buildFinalNorm: (context, hidden) => norm(context, 'model.norm', hidden),
};

function readConfig(json: ConfigJson): ModelConfig {
  requireActivation(json, 'hidden_act', 'silu');
  return { ...readDecoderConfig(json, { modelType: 'llama' }), biasedModules: readBiasedModules(json) };
}

/** Those of attention and of the feed-forward part, each as a whole or not at all. */
export function readBiasedModules(json: ConfigJson): string[] {
  return [
    ...(readFlag(json, 'attention_bias', false) ? ['q_proj', 'k_proj', 'v_proj', 'o_proj'] : []),
    ...(readFlag(json, 'mlp_bias', false) ? ['gate_proj', 'up_proj', 'down_proj'] : []),
  ];
}

function describeLayer(config: ModelConfig, prefix: string): ParameterInfo[] {
  return [
    describeNorm(`${prefix}.input_layernorm`, config.hiddenSize),
    ...describeAttention(config, prefix),
    describeNorm(`${prefix}.post_attention_layernorm`, config.hiddenSize),
    ...describeGatedMlp(config, prefix),
  ];
}

function buildLayer(context: ModelContext, layer: number, hidden: Value, selectRows = (x: Value): Value => x): Value {
  const prefix = `model.layers.${layer}`;
  const attended = buildAttention(context, layer, norm(context, `${prefix}.input_layernorm`, hidden));
  const [output] = context.project([`${prefix}.self_attn.o_proj`], selectRows(attended)); // [N, C]
  const afterAttention = add(selectRows(hidden), output!);
  const normalized = norm(context, `${prefix}.post_attention_layernorm`, afterAttention);
  return add(afterAttention, gatedMlp(context, `${prefix}.mlp`, normalized));
}

/** The heads' outputs, before the output projection: x [M, C] -> [M, H*D] */
function buildAttention(context: ModelContext, layer: number, x: Value): Value {
  const modules = ['q_proj', 'k_proj', 'v_proj'].map(name => `model.layers.${layer}.self_attn.${name}`);
  const [q, k, v] = context.project(modules, x);
  return context.attend(layer, q!, k!, v!);
}

function norm(context: ModelContext, module: string, x: Value): Value {
  return rmsNorm(x, context.parameter(`${module}.weight`), context.config.normEpsilon);
}
