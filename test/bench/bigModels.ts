/** Models of well-known dimensions with random weights in blocks, made where they are read: nothing lies on the disk. */
import type { TensorInfo, TensorSource } from '../../src/core/formats/tensorSource.ts';
import type { ParameterInfo } from '../../src/core/models/architecture.ts';
import { type Model, readModel } from '../../src/core/models/findArchitecture.ts';

const llama = { model_type: 'llama', rms_norm_eps: 1e-5, max_position_embeddings: 4096 };

export const bigModels: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'TinyLlama-1.1B': {
    ...llama,
    vocab_size: 32000,
    hidden_size: 2048,
    intermediate_size: 5632,
    num_hidden_layers: 22,
    num_attention_heads: 32,
    num_key_value_heads: 4,
  },
  'Llama-3.2-3B': {
    ...llama,
    vocab_size: 128256,
    hidden_size: 3072,
    intermediate_size: 8192,
    num_hidden_layers: 28,
    num_attention_heads: 24,
    num_key_value_heads: 8,
    rope_theta: 500000,
    tie_word_embeddings: true,
  },
  'Llama-2-7B': {
    ...llama,
    vocab_size: 32000,
    hidden_size: 4096,
    intermediate_size: 11008,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    num_key_value_heads: 32,
  },
};

/** @param layers how many; default as many as the model has */
export function makeBigModel(name: string, layers?: number): Model {
  const config = bigModels[name];
  if (!config) throw new Error(`expected one of ${Object.keys(bigModels).join(', ')}, got ${name}`);
  return readModel(layers === undefined ? config : { ...config, num_hidden_layers: layers });
}

/** As a model is after `baseWeights: 4bit` rounded it: linear weights in Q4_0, embedding and head in Q8_0, norms of 1. */
export class RandomBlocks implements TensorSource {
  readonly names: readonly string[];
  private readonly parameters: ReadonlyMap<string, { readonly info: ParameterInfo; readonly seed: number }>;

  constructor({ architecture, config }: Model) {
    const { embedding, layers, finalNorm, head } = architecture.describeParameters(config);
    const all = [...new Set([embedding, ...layers.flat(), finalNorm, head])];
    this.parameters = new Map(all.map((info, index) => [info.name, { info, seed: 1 + index * 7919 }]));
    this.names = [...this.parameters.keys()];
  }

  info(name: string): TensorInfo {
    const { info } = this.parameters.get(name)!;
    const { dtype, blockElements, blockBytes } = typeOf(info);
    const elements = info.shape.reduce((product, dim) => product * dim, 1);
    return { name, dtype, shape: info.shape, storedBytes: (elements / blockElements) * blockBytes };
  }

  readFloat32(name: string): Float32Array {
    const { shape, dtype } = this.info(name);
    if (dtype !== 'F32') throw new Error(`expected blocks to be read as they are, got a wish for ${name} in floats`);
    return new Float32Array(shape[0]!).fill(1);
  }

  readFloat32Rows(name: string): Float32Array {
    return this.readFloat32(name);
  }

  readBytes(name: string, rows?: { readonly first: number; readonly count: number }): Uint8Array {
    const { info, seed } = this.parameters.get(name)!;
    const { blockElements, blockBytes, scaleBits } = typeOf(info);
    const { first, count } = rows ?? { first: 0, count: info.shape[0]! };
    const blocks = (count * info.shape[1]!) / blockElements;
    const words = new Uint32Array(Math.ceil((blocks * blockBytes) / 4));
    let state = (seed + first) >>> 0;
    for (let i = 0; i < words.length; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      words[i] = state;
    }
    const bytes = new Uint8Array(words.buffer, 0, blocks * blockBytes);
    for (let at = 0; at < bytes.length; at += blockBytes) {
      bytes[at] = scaleBits & 255;
      bytes[at + 1] = scaleBits >> 8;
    }
    return bytes;
  }

  close(): void {
    // Nothing is open.
  }
}

/** The scales are float16 of about 0.0043 and 0.00027: weights spread by about 0.02, as trained ones are. */
function typeOf({ kind, shape }: ParameterInfo) {
  if (shape.length === 1) return { dtype: 'F32', blockElements: 1, blockBytes: 4, scaleBits: 0 };
  if (kind === 'linear') return { dtype: 'Q4_0', blockElements: 32, blockBytes: 18, scaleBits: 0x1c68 };
  return { dtype: 'Q8_0', blockElements: 32, blockBytes: 34, scaleBits: 0x0c6c };
}
