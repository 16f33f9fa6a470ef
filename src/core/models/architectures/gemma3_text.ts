/**
 * @file The text model of Gemma 3: Gemma 2's layers with queries and keys normalised head by head, five layers with a window
 * and a rope of their own for each one without, and no caps. Follows transformers' modeling_gemma3.py.
 * @see https://github.com/huggingface/transformers/blob/main/src/transformers/models/gemma3/modeling_gemma3.py
 */
import { headNorm } from '../../nn/headNorm.ts';
import type { RopeSettings } from '../../nn/rope.ts';
import type { Architecture, ModelConfig } from '../architecture.ts';
import { type ConfigJson, invalidConfig, readCount, readObject, unsupportedConfig } from '../readConfigFields.ts';
import { readRopeParameters } from '../readRope.ts';
import { describeWindows, readSlidingLayers, readWindow } from './decoderConfig.ts';
import { describeDecoder, describeNorm } from './decoderParameters.ts';
import {
  buildGemmaFinalNorm,
  buildGemmaLayer,
  describeGemmaLayer,
  readCap,
  readGemmaConfig,
  readNormWeight,
} from './gemma2.ts';

export const gemma3Text: Architecture = {
  modelType: 'gemma3_text',
  readConfig,
  describeParameters: config =>
    describeDecoder(config, (all, prefix) =>
      describeGemmaLayer(
        all,
        prefix,
        ['q_norm', 'k_norm'].map(name => describeNorm(`${prefix}.self_attn.${name}`, all.headSize)),
      ),
    ),
  buildLayer: (context, layer, hidden, selectRows) =>
    buildGemmaLayer(context, layer, hidden, selectRows, (x, module) =>
      headNorm(x, readNormWeight(context, module), context.config.normEpsilon),
    ),
  buildFinalNorm: buildGemmaFinalNorm,
};

function readConfig(json: ConfigJson): ModelConfig {
  // transformers reads this field and computes without it.
  const scoreCap = json.attn_logit_softcapping ?? undefined;
  if (scoreCap !== undefined) throw unsupportedConfig('attn_logit_softcapping', 'null', scoreCap);
  const plainRope = { ...json, rope_parameters: undefined, rope_scaling: undefined };
  const config = readGemmaConfig(plainRope, { modelType: 'gemma3_text', maxContextTokens: 131_072 });
  const window = readWindow({ sliding_window: 4096, ...json });
  const pattern = readCount(json, 'sliding_window_pattern', 6);
  const sliding = readSlidingLayers(json, config.layers, layer => (layer + 1) % pattern !== 0);
  const { full, local } = readRopes(json, config.headSize);
  return {
    ...config,
    rope: full,
    localRope: local,
    layerAttention: describeWindows(sliding, window).map((attention, layer) =>
      sliding[layer] ? { ...attention, rope: 'local' } : attention,
    ),
    logitSoftcap: readCap(json, 'final_logit_softcapping'),
  };
}

/** Nested by kind of layer as transformers 5 has them, or `rope_theta`, `rope_local_base_freq` and `rope_scaling` as version 4. */
function readRopes(json: ConfigJson, headSize: number): { full: RopeSettings; local: RopeSettings } {
  const nested = readObject(json, 'rope_parameters');
  if (nested && !('full_attention' in nested)) {
    throw invalidConfig('rope_parameters', 'an object with full_attention and sliding_attention', nested);
  }
  const full = nested ? readObject(nested, 'full_attention') : readObject(json, 'rope_scaling');
  const local = nested ? readObject(nested, 'sliding_attention') : undefined;
  return {
    full: readRopeParameters(full ?? {}, json, { headSize, defaultTheta: 1_000_000 }),
    local: readRopeParameters(
      local ?? {},
      { ...json, rope_theta: json.rope_local_base_freq },
      { headSize, defaultTheta: 10_000 },
    ),
  };
}
