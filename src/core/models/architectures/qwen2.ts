/**
 * @file The Qwen2 architecture (Qwen 1.5, 2 and 2.5): Llama's with biases on queries, keys and values, and a window in
 * the upper layers where the config asks for it. Follows transformers' modeling_qwen2.py.
 * @see https://github.com/huggingface/transformers/blob/main/src/transformers/models/qwen2/modeling_qwen2.py
 */
import type { Architecture, LayerAttention, ModelConfig } from '../architecture.ts';
import { type ConfigJson, readFlag } from '../readConfigFields.ts';
import {
  describeWindows,
  readDecoderConfig,
  readSlidingLayers,
  readWindow,
  requireActivation,
} from './decoderConfig.ts';
import { llama } from './llama.ts';

export const qwen2: Architecture = { ...llama, modelType: 'qwen2', readConfig };

function readConfig(json: ConfigJson): ModelConfig {
  requireActivation(json, 'hidden_act', 'silu');
  const config = readDecoderConfig(json, { modelType: 'qwen2', maxContextTokens: 32_768 });
  return {
    ...config,
    biasedModules: ['q_proj', 'k_proj', 'v_proj'],
    layerAttention: readUpperWindows(json, config.layers),
  };
}

/** A window in the layers from `max_window_layers` on, where `use_sliding_window` says so. */
export function readUpperWindows(json: ConfigJson, layers: number): LayerAttention[] {
  const hasWindow = readFlag(json, 'use_sliding_window', false);
  const window = hasWindow ? readWindow({ sliding_window: 4096, ...json }) : undefined;
  const firstLayer = typeof json.max_window_layers === 'number' ? json.max_window_layers : 28;
  const sliding = readSlidingLayers(json, layers, layer => layer >= firstLayer);
  return describeWindows(sliding, window);
}
