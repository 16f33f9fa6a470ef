import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { afterAll, describe, expect, it } from 'vitest';
import { type GgufFile, openGguf } from '../../../../../src/core/formats/gguf.ts';
import type { GgufValue } from '../../../../../src/core/formats/ggufCursor.ts';
import { readGgufTokenizer } from '../../../../../src/core/models/gguf/ggufTokenizer.ts';
import { catchTuneError } from '../../formats/catchTuneError.ts';

const fixtures = join(import.meta.dirname, '../../../../fixtures/models');
const { texts, tokens } = JSON.parse(readFileSync(join(fixtures, 'tokens.json'), 'utf8')) as {
  texts: string[];
  tokens: Record<string, number[][]>;
};
const byteLevel = openGguf(join(fixtures, 'llama.gguf'));
const sentencePiece = openGguf(join(fixtures, 'sentencePiece.gguf'));
afterAll(() => {
  byteLevel.tensors.close();
  sentencePiece.tensors.close();
});

/** The file with some of its metadata replaced, or taken away by undefined. */
function withMetadata(file: GgufFile, changes: Record<string, GgufValue | undefined>): GgufFile {
  const metadata = new Map(file.metadata);
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) metadata.delete(key);
    else metadata.set(key, value);
  }
  return { ...file, metadata };
}

function load(file: GgufFile): Tokenizer {
  const { tokenizerJson, tokenizerConfig } = readGgufTokenizer(file);
  return new Tokenizer(tokenizerJson as object, tokenizerConfig as object);
}

function encode(tokenizer: Tokenizer, text: string, addSpecials = false): number[] {
  return tokenizer.encode(text, { add_special_tokens: addSpecials }).ids;
}

describe('readGgufTokenizer', () => {
  it.each(['gpt-2', 'smollm', 'llama-bpe', 'qwen2'])(
    'gives the tokens of the original for byte-level BPE cut as %s',
    pre => {
      const tokenizer = load(withMetadata(byteLevel, { 'tokenizer.ggml.pre': pre }));
      texts.forEach((text, i) => {
        expect({ text, ids: encode(tokenizer, text) }).toEqual({ text, ids: tokens[pre]![i] });
      });
    },
  );

  it('gives the tokens of sentencepiece for its vocabularies', () => {
    const tokenizer = load(sentencePiece);
    texts.forEach((text, i) => {
      expect({ text, ids: encode(tokenizer, text) }).toEqual({ text, ids: tokens.sentencePiece![i] });
    });
  });

  it('decodes what it encodes, the added space taken away again', () => {
    for (const file of [byteLevel, sentencePiece]) {
      const tokenizer = load(file);
      for (const text of texts.filter(text => text !== '' && !/[▁<]/.test(text))) {
        expect(tokenizer.decode(encode(tokenizer, text))).toBe(text);
      }
    }
  });

  it('names special tokens, further end tokens and the template', () => {
    expect(readGgufTokenizer(byteLevel).tokenizerConfig).toMatchObject({
      bos_token: '<|im_start|>',
      eos_token: '<|im_end|>',
      pad_token: '<|endoftext|>',
      add_bos_token: false,
      extra_eos_token_ids: [3],
      chat_template: readFileSync(join(fixtures, 'folder/chat_template.jinja'), 'utf8'),
    });
    expect(readGgufTokenizer(sentencePiece).tokenizerConfig).toMatchObject({
      bos_token: '<s>',
      eos_token: '</s>',
      unk_token: '<unk>',
      add_bos_token: true,
      add_eos_token: false,
      extra_eos_token_ids: [],
    });
  });

  it('puts one begin token before a text, and an end token behind it, where the file says so', () => {
    expect(encode(load(sentencePiece), 'The dog', true)).toEqual([1, 345, 262, 304]);
    const both = { 'tokenizer.ggml.add_bos_token': true, 'tokenizer.ggml.add_eos_token': true };
    expect(encode(load(withMetadata(byteLevel, both)), 'The dog', true)).toEqual([
      1,
      ...encode(load(byteLevel), 'The dog'),
      2,
    ]);
    const llama3 = withMetadata(byteLevel, {
      'tokenizer.ggml.pre': 'llama-bpe',
      'tokenizer.ggml.add_bos_token': undefined,
    });
    expect(encode(load(llama3), 'The dog', true)[0]).toBe(1);
  });

  it('leaves the space before a text out where the file says so', () => {
    const tokenizer = load(withMetadata(sentencePiece, { 'tokenizer.ggml.add_space_prefix': false }));
    expect(tokenizer.decode(encode(tokenizer, ' dog'))).toBe(' dog');
    expect(encode(tokenizer, ' dog')).toEqual(encode(load(sentencePiece), 'dog'));
  });

  it.each<[string, Record<string, GgufValue | undefined>, string, RegExp]>([
    ['another kind of tokenizer', { 'tokenizer.ggml.model': 'bert' }, 'model-unsupported', /gpt2 or llama, got bert/],
    ['no tokenizer', { 'tokenizer.ggml.model': undefined }, 'model-unsupported', /got none/],
    [
      'an unknown way to cut text',
      { 'tokenizer.ggml.pre': 'nobody' },
      'model-unsupported',
      /tokenizer.ggml.pre, got "nobody"/,
    ],
    ['no vocabulary', { 'tokenizer.ggml.tokens': undefined }, 'tokenizer-invalid', /a vocabulary.*got none/],
    ['no merges', { 'tokenizer.ggml.merges': undefined }, 'tokenizer-invalid', /expected merges.*got none/],
    ['a merge without a space', { 'tokenizer.ggml.merges': ['ab'] }, 'tokenizer-invalid', /two tokens.*got "ab"/],
    [
      'a begin token outside the vocabulary',
      { 'tokenizer.ggml.bos_token_id': 400 },
      'model-invalid',
      /a token below 400.*got 400/,
    ],
    [
      'too few token types',
      { 'tokenizer.ggml.token_type': Int32Array.of(1) },
      'model-invalid',
      /400 types.*got a list of 1/,
    ],
    ['a vocabulary of numbers', { 'tokenizer.ggml.tokens': Int32Array.of(1) }, 'model-invalid', /a list of texts/],
  ])('refuses %s', (_what, changes, code, message) => {
    const error = catchTuneError(() => readGgufTokenizer(withMetadata(byteLevel, changes)));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.file).toBe(byteLevel.path);
    expect(error.hint).toBeTruthy();
  });

  it('refuses a SentencePiece vocabulary whose pieces would take for ever to split', () => {
    const file = withMetadata(sentencePiece, {
      'tokenizer.ggml.tokens': Array.from({ length: 480 }, (_, i) => `${i}`.repeat(100_000)),
    });
    expect(catchTuneError(() => readGgufTokenizer(file)).message).toMatch(/pieces of text/);
  });

  it('refuses a SentencePiece vocabulary without scores', () => {
    const file = withMetadata(sentencePiece, { 'tokenizer.ggml.scores': undefined });
    expect(catchTuneError(() => readGgufTokenizer(file)).message).toMatch(/480 scores.*got nothing/);
  });
});
