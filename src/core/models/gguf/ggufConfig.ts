/**
 * @file What a GGUF file says of its model, in the form of Hugging Face's config.json.
 * @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md and transformers' GGUF loader
 */
import { TuneError } from '../../../shared/errors.ts';
import type { GgufFile } from '../../formats/gguf.ts';
import type { JsonObject } from '../readJsonFile.ts';
import { findGgufArchitecture, type GgufArchitecture } from './ggufArchitectures.ts';
import { GgufMetadataReader } from './ggufMetadata.ts';
import { readGgufRopeScaling } from './ggufRopeScaling.ts';

const defaultRopeTheta = 10_000;

export interface GgufConfig {
  readonly config: JsonObject;
  readonly modelType: string;
  /** Undefined for one whose tensors are not known here. */
  readonly architecture: GgufArchitecture | undefined;
  readonly queryHeads: number;
  readonly keyValueHeads: number;
}

/** @throws TuneError `model-invalid` | `model-unsupported` */
export function readGgufConfig(file: GgufFile): GgufConfig {
  const metadata = new GgufMetadataReader(file);
  const stored = metadata.readText('general.architecture') ?? metadata.fail('general.architecture', 'text', undefined);
  const key = (name: string) => `${stored}.${name}`;
  const { name, architecture } = findGgufArchitecture(metadata, stored);

  refuseOtherKinds(metadata);
  const hiddenSize = metadata.requireCount(key('embedding_length'));
  const queryHeads = metadata.requireCount(key('attention.head_count'));
  const keyValueHeads = metadata.readCount(key('attention.head_count_kv')) ?? queryHeads;
  const rotaryDimensions = metadata.readCount(key('rope.dimension_count'));
  // Phi-3 turns a part of each head; elsewhere the heads' size may be told by what is turned alone.
  const headDimensions =
    metadata.readCount(key('attention.key_length')) ??
    (stored === 'phi3' ? undefined : rotaryDimensions) ??
    hiddenSize / queryHeads;
  const names = new Set(file.tensors.names);
  const vocabularySize = countVocabulary(file, metadata, stored);
  const isMixture = (metadata.readNumber(key('expert_count')) ?? 0) > 0;
  const modelType = isMixture && stored === 'llama' ? 'mixtral' : (architecture?.modelType ?? name);
  const layers = metadata.requireCount(key('block_count'));
  const slidingWindow = metadata.readNumber(key('attention.sliding_window'));

  const facts = { metadata, key, hiddenSize, heads: queryHeads, headDimensions, layers };
  const config: JsonObject = {
    ...(architecture && !isMixture ? { architectures: [architecture.className] } : {}),
    model_type: modelType,
    hidden_size: hiddenSize,
    intermediate_size: metadata.readCount(key('feed_forward_length')),
    num_hidden_layers: layers,
    num_attention_heads: queryHeads,
    num_key_value_heads: keyValueHeads,
    head_dim: headDimensions,
    hidden_act: 'silu',
    max_position_embeddings: metadata.requireCount(key('context_length')),
    rms_norm_eps: readShortestNumber(metadata, key('attention.layer_norm_rms_epsilon')),
    rope_theta: readShortestNumber(metadata, key('rope.freq_base')) ?? defaultRopeTheta,
    rope_scaling: readGgufRopeScaling(file, metadata, stored, rotaryDimensions ?? headDimensions),
    ...(rotaryDimensions !== undefined && rotaryDimensions !== headDimensions
      ? { partial_rotary_factor: rotaryDimensions / headDimensions }
      : {}),
    ...(slidingWindow ? { sliding_window: slidingWindow } : {}),
    vocab_size: vocabularySize,
    tie_word_embeddings: !names.has('output.weight'),
    attention_bias: names.has('blk.0.attn_q.bias'),
    mlp_bias: names.has('blk.0.ffn_gate.bias'),
    bos_token_id: metadata.readTokenId('tokenizer.ggml.bos_token_id', vocabularySize),
    eos_token_id: metadata.readTokenId('tokenizer.ggml.eos_token_id', vocabularySize),
    pad_token_id: metadata.readTokenId('tokenizer.ggml.padding_token_id', vocabularySize),
    ...architecture?.describe?.(facts),
  };
  return { config, modelType, architecture: isMixture ? undefined : architecture, queryHeads, keyValueHeads };
}

/** The rows of the embedding: the count that the weights really have. */
function countVocabulary(file: GgufFile, metadata: GgufMetadataReader, architecture: string): number {
  if (file.tensors.names.includes('token_embd.weight')) {
    const rows = file.tensors.info('token_embd.weight').shape[0];
    if (rows) return rows;
  }
  return metadata.requireCount(`${architecture}.vocab_size`);
}

function refuseOtherKinds(metadata: GgufMetadataReader): void {
  const type = metadata.readText('general.type') ?? 'model';
  if (type !== 'model') {
    throw new TuneError('model-unsupported', `${metadata.path}: expected a model, got a GGUF file of type ${type}`, {
      file: metadata.path,
      hint: 'Name the GGUF file of the base model.',
    });
  }
  const parts = metadata.readNumber('split.count') ?? 1;
  if (parts > 1) {
    throw new TuneError('model-unsupported', `${metadata.path}: expected a whole model, got one of ${parts} parts`, {
      file: metadata.path,
      hint: 'Join the parts with llama.cpp: llama-gguf-split --merge <first part> <whole file>.',
    });
  }
}

/** GGUF stores float32; the shortest decimal that rounds to it is what the model's own config.json said. */
function readShortestNumber(metadata: GgufMetadataReader, key: string): number | undefined {
  const value = metadata.readNumber(key);
  if (value === undefined || Math.fround(value) !== value) return value;
  for (let digits = 1; digits <= 9; digits++) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === value) return shorter;
  }
  return value;
}
