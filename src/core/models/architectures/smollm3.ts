/**
 * @file The SmolLM3 architecture: Llama's, where some layers know no positions (NoPE), and may see a window. Follows
 * transformers' modeling_smollm3.py.
 * @see https://github.com/huggingface/transformers/blob/main/src/transformers/models/smollm3/modeling_smollm3.py
 */
import type { Architecture, ModelConfig } from '../architecture.ts';
import { type ConfigJson, invalidConfig, readCount, readFlag } from '../readConfigFields.ts';
import {
  describeWindows,
  readDecoderConfig,
  readSlidingLayers,
  readWindow,
  requireActivation,
} from './decoderConfig.ts';
import { llama, readBiasedModules } from './llama.ts';

export const smollm3: Architecture = { ...llama, modelType: 'smollm3', readConfig };

function readConfig(json: ConfigJson): ModelConfig {
  requireActivation(json, 'hidden_act', 'silu');
  const config = readDecoderConfig(json, {
    modelType: 'smollm3',
    keyValueHeads: 4,
    ropeTheta: 2_000_000,
    maxContextTokens: 32_768,
    tiedEmbeddings: true,
  });
  const hasRope = readRopeLayers(json, config.layers);
  const window = readWindow(json);
  const mayHaveWindow = readFlag(json, 'use_sliding_window', false) && window !== undefined;
  const sliding = readSlidingLayers(json, config.layers, layer => mayHaveWindow && !hasRope[layer]!);
  return {
    ...config,
    biasedModules: readBiasedModules(json),
    layerAttention: describeWindows(sliding, window).map((attention, layer) =>
      hasRope[layer] ? attention : { ...attention, rope: 'none' },
    ),
  };
}

/** Which layers turn by positions: 1 in `no_rope_layers`, or all but each fourth. */
function readRopeLayers(json: ConfigJson, layers: number): boolean[] {
  const flags = json.no_rope_layers ?? undefined;
  if (flags === undefined) {
    const interval = readCount(json, 'no_rope_layer_interval', 4);
    return Array.from({ length: layers }, (_, layer) => (layer + 1) % interval !== 0);
  }
  const isFit = Array.isArray(flags) && flags.length >= layers && flags.every(flag => flag === 0 || flag === 1);
  if (!isFit) throw invalidConfig('no_rope_layers', `a list of ${layers} zeros and ones`, flags);
  return flags.slice(0, layers).map(flag => flag === 1);
}
