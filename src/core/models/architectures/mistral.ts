/**
 * @file The Mistral architecture: Llama's, where every layer may see a window of tokens only. Follows transformers'
 * modeling_mistral.py.
 * @see https://github.com/huggingface/transformers/blob/main/src/transformers/models/mistral/modeling_mistral.py
 */
import type { Architecture, ModelConfig } from '../architecture.ts';
import { type ConfigJson, unsupportedConfig } from '../readConfigFields.ts';
import {
  describeWindows,
  readDecoderConfig,
  readSlidingLayers,
  readWindow,
  requireActivation,
} from './decoderConfig.ts';
import { llama } from './llama.ts';

export const mistral: Architecture = { ...llama, modelType: 'mistral', readConfig };

function readConfig(json: ConfigJson): ModelConfig {
  requireActivation(json, 'hidden_act', 'silu');
  const config = readDecoderConfig(json, { modelType: 'mistral', keyValueHeads: 8, maxContextTokens: 131_072 });
  // A config without the field has the window of the first release; one that says null has none.
  const window = readWindow({ sliding_window: 4096, ...json });
  const hasWindow = window !== undefined;
  const sliding = readSlidingLayers(json, config.layers, () => hasWindow);
  // transformers gives all layers of this architecture the same mask, whatever the list says.
  const other = sliding.find(isSliding => isSliding !== hasWindow);
  if (other !== undefined) throw unsupportedConfig('layer_types', 'equal for all layers', json.layer_types);
  return { ...config, layerAttention: describeWindows(sliding, window) };
}
