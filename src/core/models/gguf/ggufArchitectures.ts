/**
 * @file What is particular about each architecture in a GGUF file: the names of its tensors, how llama.cpp's converter
 * changed them, and what config.json says that the file says otherwise or not at all.
 * @see https://github.com/ggml-org/llama.cpp (conversion/*.py, src/models/*.cpp)
 */

import type { JsonObject } from '../readJsonFile.ts';
import type { GgufMetadataReader } from './ggufMetadata.ts';

export interface GgufArchitecture {
  /** Hugging Face's `model_type`, and the class that transformers and vLLM load. */
  readonly modelType: string;
  readonly className: string;
  /** Parts of a layer's tensor names -> Hugging Face's modules. */
  readonly layerParts: ReadonlyMap<string, string>;
  /**
   * The two halves of each head's query and key rows are interleaved: llama.cpp's rope for this architecture turns
   * neighbouring pairs (2i, 2i + 1), Hugging Face's the pairs (i, i + D/2).
   */
  readonly hasInterleavedHeads: boolean;
  /** Norms are stored 1 larger, as what they multiply by. */
  readonly hasShiftedNorms: boolean;
  /** Fields that config.json has beyond those that all architectures read alike. */
  readonly describe?: ((facts: GgufFacts) => JsonObject) | undefined;
}

/** What the extra fields follow from. */
export interface GgufFacts {
  readonly metadata: GgufMetadataReader;
  /** A key under the architecture's name. */
  readonly key: (name: string) => string;
  readonly hiddenSize: number;
  readonly heads: number;
  readonly headDimensions: number;
  readonly layers: number;
}

const llamaParts: readonly (readonly [string, string])[] = [
  ['attn_norm', 'input_layernorm'],
  ['attn_q', 'self_attn.q_proj'],
  ['attn_k', 'self_attn.k_proj'],
  ['attn_v', 'self_attn.v_proj'],
  ['attn_output', 'self_attn.o_proj'],
  ['ffn_norm', 'post_attention_layernorm'],
  ['ffn_gate', 'mlp.gate_proj'],
  ['ffn_up', 'mlp.up_proj'],
  ['ffn_down', 'mlp.down_proj'],
];
const headNormParts: readonly (readonly [string, string])[] = [
  ['attn_q_norm', 'self_attn.q_norm'],
  ['attn_k_norm', 'self_attn.k_norm'],
];
const postNormParts: readonly (readonly [string, string])[] = [
  ['post_attention_norm', 'post_attention_layernorm'],
  ['post_ffw_norm', 'post_feedforward_layernorm'],
];
const gemmaParts: readonly (readonly [string, string])[] = [
  ...llamaParts.filter(([name]) => name !== 'ffn_norm'),
  ['ffn_norm', 'pre_feedforward_layernorm'],
  ...postNormParts,
];

function make(
  modelType: string,
  className: string,
  parts: readonly (readonly [string, string])[],
  rest: Partial<GgufArchitecture> = {},
): GgufArchitecture {
  const shared = { hasInterleavedHeads: false, hasShiftedNorms: false };
  return { ...shared, modelType, className, layerParts: new Map(parts), ...rest };
}

/** By `general.architecture`. */
const architectures: ReadonlyMap<string, GgufArchitecture> = new Map([
  ['llama', make('llama', 'LlamaForCausalLM', llamaParts, { hasInterleavedHeads: true })],
  ['smollm3', make('smollm3', 'SmolLM3ForCausalLM', llamaParts, { hasInterleavedHeads: true })],
  ['qwen2', make('qwen2', 'Qwen2ForCausalLM', llamaParts)],
  ['qwen3', make('qwen3', 'Qwen3ForCausalLM', [...llamaParts, ...headNormParts])],
  [
    'olmo2',
    make('olmo2', 'Olmo2ForCausalLM', [
      ...llamaParts.filter(([name]) => !name.endsWith('_norm')),
      ...headNormParts,
      ...postNormParts,
    ]),
  ],
  [
    'phi3',
    make(
      'phi3',
      'Phi3ForCausalLM',
      [
        ['attn_norm', 'input_layernorm'],
        ['attn_qkv', 'self_attn.qkv_proj'],
        ['attn_output', 'self_attn.o_proj'],
        ['ffn_norm', 'post_attention_layernorm'],
        ['ffn_up', 'mlp.gate_up_proj'],
        ['ffn_down', 'mlp.down_proj'],
      ],
      { describe: describePhi3 },
    ),
  ],
  ['gemma2', make('gemma2', 'Gemma2ForCausalLM', gemmaParts, { hasShiftedNorms: true, describe: describeGemma2 })],
  [
    'gemma3',
    make('gemma3_text', 'Gemma3ForCausalLM', [...gemmaParts, ...headNormParts], {
      hasShiftedNorms: true,
      describe: describeGemma3,
    }),
  ],
]);

/** A file's architecture as it is computed here, or undefined for one whose tensors are not known. */
export function findGgufArchitecture(
  metadata: GgufMetadataReader,
  name: string,
): { readonly name: string; readonly architecture: GgufArchitecture | undefined } {
  const hasWindow = (metadata.readNumber(`${name}.attention.sliding_window`) ?? 0) > 0;
  // Mistral's models are stored as Llama's, OLMo 3's as OLMo 2's: a window tells them apart.
  if (name === 'olmo2' && hasWindow) return { name: 'olmo3', architecture: undefined };
  const architecture = architectures.get(name);
  if (name !== 'llama' || !hasWindow) return { name, architecture };
  return { name, architecture: { ...architecture!, modelType: 'mistral', className: 'MistralForCausalLM' } };
}

/** Under what name a file holds a model of this `model_type`; undefined where it cannot. */
export function findGgufName(
  modelType: string,
): { readonly name: string; readonly architecture: GgufArchitecture } | undefined {
  const found = [...architectures].find(([, architecture]) => architecture.modelType === modelType);
  if (found !== undefined) return { name: found[0], architecture: found[1] };
  return modelType === 'mistral' ? { name: 'llama', architecture: architectures.get('llama')! } : undefined;
}

function describePhi3({ metadata, key }: GgufFacts): JsonObject {
  return { original_max_position_embeddings: metadata.readCount(key('rope.scaling.original_context_length')) };
}

function describeGemma2(facts: GgufFacts): JsonObject {
  const { metadata, key } = facts;
  return {
    ...describeGemma(facts, 46),
    sliding_window: metadata.readNumber(key('attention.sliding_window')) ?? 4096,
    layer_types: listLayerTypes(facts, 2),
    attn_logit_softcapping: metadata.readNumber(key('attn_logit_softcapping')) ?? 50,
    final_logit_softcapping: metadata.readNumber(key('final_logit_softcapping')) ?? 30,
  };
}

function describeGemma3(facts: GgufFacts): JsonObject {
  const { metadata, key } = facts;
  const window = metadata.readNumber(key('attention.sliding_window')) ?? 0;
  return {
    ...describeGemma(facts, 62),
    sliding_window: window === 0 ? null : window,
    layer_types: listLayerTypes(facts, window === 0 ? 1 : 6),
    rope_local_base_freq: metadata.readNumber(key('rope.freq_base_swa')) ?? 10_000,
    final_logit_softcapping: metadata.readNumber(key('final_logit_softcapping')) || null,
  };
}

/** The scale of the scores is not in the file: it follows from the sizes, in the largest model of the family otherwise. */
function describeGemma({ layers, hiddenSize, heads, headDimensions }: GgufFacts, largestLayers: number): JsonObject {
  return {
    hidden_activation: 'gelu_pytorch_tanh',
    query_pre_attn_scalar: layers === largestLayers ? Math.floor(hiddenSize / heads) : headDimensions,
  };
}

/** Windows in all layers but each `pattern`th; a file may say it otherwise, as a number or layer by layer. */
function listLayerTypes({ metadata, key, layers }: GgufFacts, pattern: number): string[] {
  const name = key('attention.sliding_window_pattern');
  const stored = metadata.readFlagsOrNumber(name);
  const isSliding = (layer: number): boolean => {
    if (typeof stored === 'object') return stored[layer] ?? metadata.fail(name, `${layers} flags`, undefined);
    return (layer + 1) % (stored ?? pattern) !== 0;
  };
  return Array.from({ length: layers }, (_, layer) => (isSliding(layer) ? 'sliding_attention' : 'full_attention'));
}
