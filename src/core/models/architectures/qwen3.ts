/**
 * @file The Qwen3 architecture (dense): Llama's with queries and keys normalised head by head. Follows transformers'
 * modeling_qwen3.py.
 * @see https://github.com/huggingface/transformers/blob/main/src/transformers/models/qwen3/modeling_qwen3.py
 */
import type { Value } from '../../graph/graph.ts';
import { add } from '../../graph/operations/elementwise.ts';
import { rmsNorm } from '../../graph/operations/rmsNorm.ts';
import { gatedMlp } from '../../nn/gatedMlp.ts';
import { headNorm } from '../../nn/headNorm.ts';
import type { Architecture, ModelConfig, ModelContext, ParameterInfo } from '../architecture.ts';
import { type ConfigJson, readFlag } from '../readConfigFields.ts';
import { readDecoderConfig, requireActivation } from './decoderConfig.ts';
import { describeAttention, describeDecoder, describeGatedMlp, describeNorm } from './decoderParameters.ts';
import { readUpperWindows } from './qwen2.ts';

export const qwen3: Architecture = {
  modelType: 'qwen3',
  readConfig,
  describeParameters: config => describeDecoder(config, describeLayer),
  buildLayer,
  buildFinalNorm: (context, hidden) =>
    rmsNorm(hidden, context.parameter('model.norm.weight'), context.config.normEpsilon),
};

function readConfig(json: ConfigJson): ModelConfig {
  requireActivation(json, 'hidden_act', 'silu');
  const config = readDecoderConfig(json, { modelType: 'qwen3', headSize: 128, maxContextTokens: 32_768 });
  const hasBias = readFlag(json, 'attention_bias', false);
  return {
    ...config,
    biasedModules: hasBias ? ['q_proj', 'k_proj', 'v_proj', 'o_proj'] : [],
    layerAttention: readUpperWindows(json, config.layers),
  };
}

function describeLayer(config: ModelConfig, prefix: string): ParameterInfo[] {
  const { hiddenSize, headSize } = config;
  const headNorms = ['q_norm', 'k_norm'].map(name => describeNorm(`${prefix}.self_attn.${name}`, headSize));
  return [
    describeNorm(`${prefix}.input_layernorm`, hiddenSize),
    ...describeAttention(config, prefix, headNorms),
    describeNorm(`${prefix}.post_attention_layernorm`, hiddenSize),
    ...describeGatedMlp(config, prefix),
  ];
}

function buildLayer(context: ModelContext, layer: number, hidden: Value, selectRows = (x: Value): Value => x): Value {
  const { normEpsilon } = context.config;
  const prefix = `model.layers.${layer}`;
  const norm = (module: string, x: Value): Value =>
    rmsNorm(x, context.parameter(`${prefix}.${module}.weight`), normEpsilon);
  const modules = ['q_proj', 'k_proj', 'v_proj'].map(name => `${prefix}.self_attn.${name}`);
  const [q, k, v] = context.project(modules, norm('input_layernorm', hidden));
  const attended = context.attend(
    layer,
    headNorm(q!, context.parameter(`${prefix}.self_attn.q_norm.weight`), normEpsilon),
    headNorm(k!, context.parameter(`${prefix}.self_attn.k_norm.weight`), normEpsilon),
    v!,
  ); // [M, H*D]
  const [output] = context.project([`${prefix}.self_attn.o_proj`], selectRows(attended)); // [N, C]
  const afterAttention = add(selectRows(hidden), output!);
  return add(afterAttention, gatedMlp(context, `${prefix}.mlp`, norm('post_attention_layernorm', afterAttention)));
}
