/**
 * Where the shipped tiny model begins: its tokenizer, its configuration and random weights as a Hugging Face folder, and the
 * conversations it is trained on. All of it follows from one seed, by whole-number arithmetic, on every machine.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeFloats } from '../core/formats/encodeFloats.ts';
import { writeSafetensors } from '../core/formats/writeSafetensors.ts';
import type { ParameterInfo } from '../core/models/architecture.ts';
import { readModel } from '../core/models/findArchitecture.ts';
import { Random } from './tinyCorpus/random.ts';
import { type CorpusRow, generateTinyCorpus } from './tinyCorpus.ts';
import { specialTokens, type TinyTokenizer, trainTinyTokenizer } from './trainTinyTokenizer.ts';

export const tinySeed = 20;
export const tinyContextTokens = 256;
export const tinyRows = 60_000;
const vocabularySize = 2048;

export interface TinyStart {
  readonly corpus: readonly CorpusRow[];
  readonly tokenizer: TinyTokenizer;
  readonly config: Readonly<Record<string, unknown>>;
  readonly generationConfig: Readonly<Record<string, unknown>>;
}

/** Fewer rows make a faster, other start: for tests. */
export function makeTinyStart(rows = tinyRows): TinyStart {
  const corpus = generateTinyCorpus(tinySeed, rows);
  const texts = corpus.flatMap(({ messages }) => messages.map(({ content }) => content));
  const tokenizer = trainTinyTokenizer(texts, vocabularySize, tinyContextTokens);
  const ids = {
    bos_token_id: null,
    eos_token_id: specialTokens.indexOf('<|im_end|>'),
    pad_token_id: specialTokens.indexOf('<|pad|>'),
  };
  return { corpus, tokenizer, config: makeConfig(tokenizer.vocabularySize, ids), generationConfig: ids };
}

/** Head size 32: the decoding kernel takes multiples of 16. */
function makeConfig(vocabulary: number, ids: Readonly<Record<string, unknown>>): TinyStart['config'] {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: vocabulary,
    hidden_size: 128,
    intermediate_size: 384,
    num_hidden_layers: 4,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 32,
    hidden_act: 'silu',
    max_position_embeddings: 1024,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    attention_bias: false,
    mlp_bias: false,
    tie_word_embeddings: true,
    ...ids,
    dtype: 'float32',
  };
}

/** The folder with random weights that training starts from. */
export function writeInitialModel(folder: string, start: TinyStart): void {
  mkdirSync(folder, { recursive: true });
  const { architecture, config } = readModel(start.config);
  const { embedding, layers, finalNorm } = architecture.describeParameters(config);
  const random = new Random(tinySeed);
  const tensors = [embedding, ...layers.flat(), finalNorm].map(parameter => {
    const values = drawWeights(parameter, config.layers, random);
    return {
      name: parameter.name,
      dtype: 'F32' as const,
      shape: parameter.shape,
      readPieces: () => [encodeFloats(values, 'F32')],
    };
  });
  writeSafetensors(join(folder, 'model.safetensors'), tensors, { format: 'pt' });
  for (const [name, text] of listTextFiles(start)) writeFileSync(join(folder, name), text);
}

/** The files beside the weights, by name. */
export function listTextFiles({ tokenizer, config, generationConfig }: TinyStart): [string, string][] {
  const lines = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  return [
    ['config.json', lines(config)],
    ['generation_config.json', lines(generationConfig)],
    ['tokenizer.json', `${JSON.stringify(tokenizer.tokenizerJson)}\n`],
    ['tokenizer_config.json', lines(tokenizer.tokenizerConfig)],
  ];
}

/** Training rows as JSON Lines of messages. */
export function writeCorpus(path: string, { corpus }: TinyStart): void {
  writeFileSync(path, corpus.map(row => `${JSON.stringify(row)}\n`).join(''));
}

/**
 * Norms start at one. The rest is uniform with deviation 1/sqrt(inner size) for linear layers, divided by sqrt(2 layers)
 * where a layer adds to the residual stream, and 0.02 for the embedding, which is the head as well.
 */
function drawWeights({ name, shape, kind }: ParameterInfo, layers: number, random: Random): Float32Array {
  const values = new Float32Array(shape.reduce((product, n) => product * n, 1));
  if (kind === 'norm') return values.fill(1);
  const isResidual = /\.(o_proj|down_proj)\./.test(name);
  const deviation = kind === 'embedding' ? 0.02 : 1 / Math.sqrt(shape.at(-1)! * (isResidual ? 2 * layers : 1));
  const limit = Math.sqrt(3) * deviation;
  for (let i = 0; i < values.length; i++) values[i] = (2 * random.next() - 1) * limit;
  return values;
}
