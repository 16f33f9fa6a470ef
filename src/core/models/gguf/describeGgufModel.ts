/**
 * @file A model's configuration -> the keys and extra tensors by which llama.cpp computes the same model. What it has no key
 * for it does in one way only: a model that does otherwise is refused by the name of what differs.
 * @see https://github.com/ggml-org/llama.cpp (conversion/*.py, src/models/*.cpp)
 */
import { TuneError } from '../../../shared/errors.ts';
import type { GgufValueToWrite } from '../../formats/writeGguf.ts';
import { yarnAttentionFactor } from '../../nn/ropeScaling.ts';
import type { ModelConfig } from '../architecture.ts';
import { findGgufName, type GgufArchitecture } from './ggufArchitectures.ts';

export interface GgufDescription {
  readonly name: string;
  readonly architecture: GgufArchitecture;
  readonly metadata: Readonly<Record<string, GgufValueToWrite>>;
  /** float32, by the names on disk. */
  readonly tensors: readonly { readonly name: string; readonly data: Float32Array }[];
}

type Keys = Record<string, GgufValueToWrite>;

/** @throws TuneError `model-unsupported` */
export function describeGgufModel(config: ModelConfig): GgufDescription {
  const found = findGgufName(config.modelType);
  if (found === undefined) throw refuse(config, 'a known architecture', config.modelType);
  const { name, architecture } = found;
  checkBiases(config, name);
  checkAttention(config, name);
  const rope = describeRope(config, name);
  const keys: Keys = {
    block_count: config.layers,
    context_length: countContext(config, name),
    embedding_length: config.hiddenSize,
    feed_forward_length: config.feedForwardSize,
    vocab_size: config.vocabularySize,
    'attention.head_count': config.heads,
    'attention.head_count_kv': config.keyValueHeads,
    'attention.layer_norm_rms_epsilon': { float: config.normEpsilon },
    'attention.key_length': config.headSize,
    'attention.value_length': config.headSize,
    'rope.dimension_count': config.rope.size,
    'rope.freq_base': { float: config.rope.theta },
    ...rope.keys,
    ...describeWindow(config, name),
    ...describeCaps(config),
  };
  const metadata = Object.fromEntries(Object.entries(keys).map(([key, value]) => [`${name}.${key}`, value]));
  return { name, architecture, metadata, tensors: rope.tensors };
}

/** llama.cpp knows no window in these: within a window's length the results are the same. */
const windowless = new Set(['llama', 'phi3']);

function countContext({ maxContextTokens, layerAttention }: ModelConfig, name: string): number {
  if (!windowless.has(name)) return maxContextTokens;
  return Math.min(maxContextTokens, ...layerAttention.map(({ windowTokens }) => windowTokens ?? maxContextTokens));
}

function describeWindow({ layerAttention, localRope }: ModelConfig, name: string): Keys {
  const window = layerAttention.find(({ windowTokens }) => windowTokens !== undefined)?.windowTokens;
  if (name === 'llama') return {};
  // Phi-3's loader wants the key, 0 for none.
  if (window === undefined) return name === 'phi3' ? { 'attention.sliding_window': 0 } : {};
  return {
    'attention.sliding_window': window,
    ...(localRope === undefined ? {} : { 'rope.freq_base_swa': { float: localRope.theta } }),
  };
}

function describeCaps({ attentionSoftcap, logitSoftcap }: ModelConfig): Keys {
  return {
    ...(attentionSoftcap === undefined ? {} : { attn_logit_softcapping: { float: attentionSoftcap } }),
    ...(logitSoftcap === undefined ? {} : { final_logit_softcapping: { float: logitSoftcap } }),
  };
}

function describeRope(config: ModelConfig, name: string): { keys: Keys; tensors: GgufDescription['tensors'] } {
  const { scaling, size, theta } = config.rope;
  const plain = (keys: Keys) => ({ keys, tensors: [] });
  switch (scaling.kind) {
    case 'none':
    // A larger base is for contexts beyond the trained one, which the file does not offer.
    case 'dynamic':
      return plain({});
    case 'linear':
      return plain({ 'rope.scaling.type': 'linear', 'rope.scaling.factor': { float: scaling.factor } });
    case 'yarn':
      if (Math.abs(scaling.attentionFactor - yarnAttentionFactor(scaling.factor)) > 1e-6 || !scaling.truncates) {
        throw refuse(config, 'the attention factor that YaRN recommends', `${scaling.attentionFactor}`);
      }
      return plain({
        'rope.scaling.type': 'yarn',
        'rope.scaling.factor': { float: scaling.factor },
        'rope.scaling.original_context_length': scaling.originalContextTokens,
        'rope.scaling.yarn_beta_fast': { float: scaling.betaFast },
        'rope.scaling.yarn_beta_slow': { float: scaling.betaSlow },
      });
    case 'llama3': {
      if (name !== 'llama') throw refuse(config, 'rope scaling that its architecture has', 'llama3');
      const { factor, lowFrequencyFactor, highFrequencyFactor, originalContextTokens } = scaling;
      const data = Float32Array.from({ length: size / 2 }, (_, i) => {
        const wavelength = 2 * Math.PI * theta ** ((2 * i) / size);
        if (wavelength < originalContextTokens / highFrequencyFactor) return 1;
        if (wavelength > originalContextTokens / lowFrequencyFactor) return factor;
        const range = highFrequencyFactor - lowFrequencyFactor;
        const smooth = (originalContextTokens / wavelength - lowFrequencyFactor) / range;
        return 1 / ((1 - smooth) / factor + smooth);
      });
      return { keys: {}, tensors: [{ name: 'rope_freqs.weight', data }] };
    }
    case 'longrope':
      if (name !== 'phi3') throw refuse(config, 'rope scaling that its architecture has', 'longrope');
      return {
        keys: {
          'rope.scaling.original_context_length': scaling.originalContextTokens,
          'rope.scaling.attn_factor': { float: scaling.attentionFactor },
        },
        tensors: [
          { name: 'rope_factors_long.weight', data: Float32Array.from(scaling.longFactors) },
          { name: 'rope_factors_short.weight', data: Float32Array.from(scaling.shortFactors) },
        ],
      };
  }
}

function checkBiases(config: ModelConfig, name: string): void {
  const known: Readonly<Record<string, readonly string[]>> = {
    llama: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
    qwen2: ['q_proj', 'k_proj', 'v_proj'],
  };
  const unknown = config.biasedModules.find(module => !(known[name] ?? []).includes(module));
  if (unknown !== undefined) throw refuse(config, `no bias on ${unknown}`, 'one');
}

/** Which layers see a window or know no positions, and how scores are scaled, is fixed in llama.cpp for each architecture. */
function checkAttention(config: ModelConfig, name: string): void {
  const { layerAttention, layers, hiddenSize, heads, headSize } = config;
  const slidingPattern: Readonly<Record<string, number>> = { gemma2: 2, gemma3: 6 };
  const pattern = slidingPattern[name];
  for (const [layer, { rope, windowTokens }] of layerAttention.entries()) {
    const isSliding = windowTokens !== undefined;
    const expected = pattern === undefined ? isSliding && windowless.has(name) : (layer + 1) % pattern !== 0;
    const mayBeFull = pattern !== undefined && layerAttention.every(other => other.windowTokens === undefined);
    if (isSliding !== expected && !mayBeFull) {
      const other = expected ? 'a window' : 'full attention';
      throw refuse(config, `${other} in layer ${layer}`, isSliding ? 'a window' : 'full attention');
    }
    const hasNoRope = name === 'smollm3' && (layer + 1) % 4 === 0;
    if ((rope === 'none') !== hasNoRope) {
      throw refuse(config, `${hasNoRope ? 'no ' : ''}positions in layer ${layer}`, rope === 'none' ? 'none' : 'some');
    }
  }
  const largest: Readonly<Record<string, number>> = { gemma2: 46, gemma3: 62 };
  const scored = largest[name] === layers ? Math.floor(hiddenSize / heads) : headSize;
  const factor = 1 / Math.sqrt(scored);
  if (Math.abs(config.attentionFactor / factor - 1) > 1e-6) {
    throw refuse(config, `scores times ${factor}`, `${config.attentionFactor}`);
  }
  if (name === 'gemma3' && config.logitSoftcap !== undefined) {
    throw refuse(config, 'no cap on logits', `${config.logitSoftcap}`);
  }
}

function refuse({ modelType }: ModelConfig, expected: string, got: string): TuneError {
  return new TuneError('model-unsupported', `GGUF, ${modelType}: expected ${expected}, got ${got}`, {
    hint: 'llama.cpp would compute this model otherwise. Export a merged Hugging Face folder instead.',
  });
}
