/**
 * @file The Phi-3 architecture (Phi-3, 3.5 and 4 mini): Llama's with queries, keys and values out of one linear layer, gate
 * and up out of another, and rope over a part of each head. Follows transformers' modeling_phi3.py.
 * @see https://github.com/huggingface/transformers/blob/main/src/transformers/models/phi3/modeling_phi3.py
 */
import type { Value } from '../../graph/graph.ts';
import { add } from '../../graph/operations/elementwise.ts';
import { gatedSilu } from '../../graph/operations/gatedActivation.ts';
import { rmsNorm } from '../../graph/operations/rmsNorm.ts';
import { split } from '../../graph/operations/slice.ts';
import type { Architecture, ModelConfig, ModelContext, ParameterInfo } from '../architecture.ts';
import { type ConfigJson, readFlag, unsupportedConfig } from '../readConfigFields.ts';
import { describeWindows, readDecoderConfig, readWindow, requireActivation } from './decoderConfig.ts';
import { describeDecoder, describeLinear, describeNorm } from './decoderParameters.ts';

export const phi3: Architecture = {
  modelType: 'phi3',
  readConfig,
  describeParameters: config => describeDecoder(config, describeLayer),
  buildLayer,
  buildFinalNorm: (context, hidden) =>
    rmsNorm(hidden, context.parameter('model.norm.weight'), context.config.normEpsilon),
};

function readConfig(json: ConfigJson): ModelConfig {
  requireActivation(json, 'hidden_act', 'silu');
  if (readFlag(json, 'attention_bias', false)) throw unsupportedConfig('attention_bias', 'false', true);
  const config = readDecoderConfig(
    { original_max_position_embeddings: 4096, ...json },
    { modelType: 'phi3', normEpsilon: 1e-5, maxContextTokens: 4096, hasPartialRope: true },
  );
  const window = readWindow(json);
  const sliding = config.layerAttention.map(() => window !== undefined);
  return { ...config, layerAttention: describeWindows(sliding, window) };
}

function describeLayer(config: ModelConfig, prefix: string): ParameterInfo[] {
  const { hiddenSize, feedForwardSize, heads, keyValueHeads, headSize } = config;
  return [
    describeNorm(`${prefix}.input_layernorm`, hiddenSize),
    ...describeLinear(config, `${prefix}.self_attn.qkv_proj`, (heads + 2 * keyValueHeads) * headSize, hiddenSize),
    ...describeLinear(config, `${prefix}.self_attn.o_proj`, hiddenSize, heads * headSize),
    describeNorm(`${prefix}.post_attention_layernorm`, hiddenSize),
    ...describeLinear(config, `${prefix}.mlp.gate_up_proj`, 2 * feedForwardSize, hiddenSize),
    ...describeLinear(config, `${prefix}.mlp.down_proj`, hiddenSize, feedForwardSize),
  ];
}

function buildLayer(context: ModelContext, layer: number, hidden: Value, selectRows = (x: Value): Value => x): Value {
  const { normEpsilon, heads, keyValueHeads, headSize, feedForwardSize } = context.config;
  const prefix = `model.layers.${layer}`;
  const norm = (module: string, x: Value): Value =>
    rmsNorm(x, context.parameter(`${prefix}.${module}.weight`), normEpsilon);
  const project = (module: string, x: Value): Value => context.project([`${prefix}.${module}`], x)[0]!;

  const states = project('self_attn.qkv_proj', norm('input_layernorm', hidden)); // [M, (H+2K)*D]
  const [q, k, v] = split(
    states,
    1,
    [heads, keyValueHeads, keyValueHeads].map(count => count * headSize),
  );
  const attended = context.attend(layer, q!, k!, v!); // [M, H*D]
  const afterAttention = add(selectRows(hidden), project('self_attn.o_proj', selectRows(attended))); // [N, C]
  const gated = project('mlp.gate_up_proj', norm('post_attention_layernorm', afterAttention)); // [N, 2F]
  const [gate, up] = split(gated, 1, [feedForwardSize, feedForwardSize]);
  return add(afterAttention, project('mlp.down_proj', gatedSilu(gate!, up!)));
}
