/**
 * @file The OLMo 2 architecture: norms behind attention and feed-forward instead of before them, queries and keys
 * normalised over all heads together. Follows transformers' modeling_olmo2.py.
 * @see https://github.com/huggingface/transformers/blob/main/src/transformers/models/olmo2/modeling_olmo2.py
 */
import type { Value } from '../../graph/graph.ts';
import { add } from '../../graph/operations/elementwise.ts';
import { rmsNorm } from '../../graph/operations/rmsNorm.ts';
import { gatedMlp } from '../../nn/gatedMlp.ts';
import type { Architecture, ModelConfig, ModelContext, ParameterInfo } from '../architecture.ts';
import { type ConfigJson, readFlag } from '../readConfigFields.ts';
import { readDecoderConfig, requireActivation } from './decoderConfig.ts';
import { describeAttention, describeDecoder, describeGatedMlp, describeNorm } from './decoderParameters.ts';

export const olmo2: Architecture = {
  modelType: 'olmo2',
  readConfig,
  describeParameters: config => describeDecoder(config, describeLayer),
  buildLayer,
  buildFinalNorm: (context, hidden) =>
    rmsNorm(hidden, context.parameter('model.norm.weight'), context.config.normEpsilon),
};

function readConfig(json: ConfigJson): ModelConfig {
  requireActivation(json, 'hidden_act', 'silu');
  const config = readDecoderConfig(json, { modelType: 'olmo2', normEpsilon: 1e-5 });
  const hasBias = readFlag(json, 'attention_bias', false);
  return { ...config, biasedModules: hasBias ? ['q_proj', 'k_proj', 'v_proj', 'o_proj'] : [] };
}

function describeLayer(config: ModelConfig, prefix: string): ParameterInfo[] {
  const { hiddenSize, heads, keyValueHeads, headSize } = config;
  const norms = [
    describeNorm(`${prefix}.self_attn.q_norm`, heads * headSize),
    describeNorm(`${prefix}.self_attn.k_norm`, keyValueHeads * headSize),
  ];
  return [
    ...describeAttention(config, prefix, norms),
    describeNorm(`${prefix}.post_attention_layernorm`, hiddenSize),
    ...describeGatedMlp(config, prefix),
    describeNorm(`${prefix}.post_feedforward_layernorm`, hiddenSize),
  ];
}

function buildLayer(context: ModelContext, layer: number, hidden: Value, selectRows = (x: Value): Value => x): Value {
  const prefix = `model.layers.${layer}`;
  const norm = (module: string, x: Value): Value =>
    rmsNorm(x, context.parameter(`${prefix}.${module}.weight`), context.config.normEpsilon);
  const modules = ['q_proj', 'k_proj', 'v_proj'].map(name => `${prefix}.self_attn.${name}`);
  const [q, k, v] = context.project(modules, hidden);
  const attended = context.attend(layer, norm('self_attn.q_norm', q!), norm('self_attn.k_norm', k!), v!); // [M, H*D]
  const [output] = context.project([`${prefix}.self_attn.o_proj`], selectRows(attended)); // [N, C]
  const afterAttention = add(selectRows(hidden), norm('post_attention_layernorm', output!));
  const fed = gatedMlp(context, `${prefix}.mlp`, afterAttention);
  return add(afterAttention, norm('post_feedforward_layernorm', fed));
}
