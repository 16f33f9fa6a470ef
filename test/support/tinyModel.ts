/** A random Llama of a few thousand weights as a Hugging Face folder, and datasets small enough to learn by heart. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bpeTokenizerJson, makeAddedToken } from '../../src/core/formats/bpeTokenizerJson.ts';
import { byteCharacters, byteLevelComponent } from '../../src/core/formats/byteLevel.ts';
import { encodeFloats } from '../../src/core/formats/encodeFloats.ts';
import { writeSafetensors } from '../../src/core/formats/writeSafetensors.ts';
import { llama } from '../../src/core/models/architectures/llama.ts';
import { seededRandom } from './bigramEngine.ts';

export interface TinyModelOptions {
  readonly seed?: number;
  readonly hiddenSize?: number;
  readonly layers?: number;
  /** 2 give heads of 16 elements, for which decoding has a kernel. */
  readonly heads?: number;
  readonly tiedEmbeddings?: boolean;
}

const template =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/** Writes the folder and returns its path. One token a byte. */
export function writeTinyModel(folder: string, options: TinyModelOptions = {}): string {
  const { seed = 1, hiddenSize = 32, layers = 2, heads = 4, tiedEmbeddings = true } = options;
  mkdirSync(folder, { recursive: true });
  const json = {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: 258,
    hidden_size: hiddenSize,
    intermediate_size: 2 * hiddenSize,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: heads / 2,
    max_position_embeddings: 256,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    hidden_act: 'silu',
    tie_word_embeddings: tiedEmbeddings,
    bos_token_id: null,
    eos_token_id: 257,
    torch_dtype: 'float32',
  };
  const random = seededRandom(seed);
  const { embedding, layers: blocks, finalNorm, head } = llama.describeParameters(llama.readConfig(json));
  const parameters = [...new Set([embedding, ...blocks.flat(), finalNorm, head])];
  const tensors = parameters.map(({ name, shape, kind }) => {
    const size = shape.reduce((product, n) => product * n, 1);
    const values = Float32Array.from({ length: size }, () => (kind === 'norm' ? 1 : (random() - 0.5) * 0.4));
    return { name, dtype: 'F32' as const, shape, readPieces: () => [encodeFloats(values, 'F32')] };
  });
  writeSafetensors(join(folder, 'model.safetensors'), tensors, { format: 'pt' });
  const files = {
    'config.json': json,
    'generation_config.json': { eos_token_id: 257 },
    'tokenizer.json': byteTokenizer(),
    'tokenizer_config.json': {
      tokenizer_class: 'PreTrainedTokenizerFast',
      eos_token: '<|im_end|>',
      pad_token: '<|im_end|>',
      chat_template: template,
    },
  };
  for (const [name, value] of Object.entries(files)) writeFileSync(join(folder, name), JSON.stringify(value));
  return folder;
}

/** Questions with answers that follow a rule, so that held-out rows can be learned too. */
export function writeTinyDataset(path: string, rows = 40): string {
  const lines = Array.from({ length: rows }, (_, i) => {
    const letter = String.fromCharCode(97 + (i % 26));
    return JSON.stringify({ question: `say ${letter} ${i}`, answer: `${letter}${letter}${letter}${letter}` });
  });
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

/** Byte-level BPE without merges. */
function byteTokenizer(): unknown {
  const specials = ['<|im_start|>', '<|im_end|>'];
  const byteLevel = byteLevelComponent(true);
  return bpeTokenizerJson({
    addedTokens: specials.map((content, i) => makeAddedToken(256 + i, content)),
    preTokenizer: byteLevel,
    decoder: byteLevel,
    tokens: [...byteCharacters, ...specials],
    merges: [],
  });
}
