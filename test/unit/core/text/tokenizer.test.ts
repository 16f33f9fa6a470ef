import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTokenizer } from '../../../../src/core/text/tokenizer.ts';
import { loadTokenizer, tokenizerConfigs, tokenizerNames } from './smallTokenizers.ts';

describe('createTokenizer', () => {
  it('finds special tokens, end tokens and the size of the vocabulary', () => {
    const tokenizer = loadTokenizer('llama3', { ...tokenizerConfigs.llama3, extra_eos_token_ids: [421, 421] });
    const id = (token: string) => tokenizer.specialTokens.get(token);
    expect(tokenizer.bosTokenId).toBe(id('<|begin_of_text|>'));
    expect(tokenizer.eosTokenIds).toEqual([id('<|eot_id|>'), 421]);
    expect(tokenizer.padTokenId).toBe(id('<|end_of_text|>'));
    expect(tokenizer.vocabularySize).toBe(Math.max(...tokenizer.specialTokens.values()) + 1);
  });

  it('learns from the post-processor whether a text begins with BOS when the configuration is silent', () => {
    expect(loadTokenizer('llama3').addsBos).toBe(true);
    expect(loadTokenizer('llama3', { ...tokenizerConfigs.llama3, add_bos_token: false }).addsBos).toBe(false);
    expect(loadTokenizer('qwen').addsBos).toBe(false);
  });

  it('adds no special token by itself and reads them where they are written', () => {
    const tokenizer = loadTokenizer('llama3');
    expect(tokenizer.encode('Hi')).not.toContain(tokenizer.bosTokenId);
    expect(tokenizer.encode('<|eot_id|>')).toEqual([tokenizer.specialTokens.get('<|eot_id|>')]);
  });

  it('leaves special tokens out of decoded text unless they are asked for', () => {
    const tokenizer = loadTokenizer('smollm');
    const ids = tokenizer.encode('<|im_start|>user\nHi<|im_end|>');
    expect(tokenizer.decode(ids)).toBe('user\nHi');
    expect(tokenizer.decode(ids, { keepSpecialTokens: true })).toBe('<|im_start|>user\nHi<|im_end|>');
  });

  it('decodes ids that the vocabulary lacks as nothing', () => {
    expect(loadTokenizer('qwen').decode([9999999, 65])).toBe(loadTokenizer('qwen').decode([65]));
  });

  it.each([
    ['not an object', []],
    ['without a model', { decoder: { type: 'ByteLevel' } }],
    ['of another family', { model: { type: 'WordPiece', vocab: {} }, decoder: { type: 'WordPiece' } }],
    [
      'with an unknown part',
      {
        model: { type: 'BPE', vocab: {}, merges: [] },
        decoder: { type: 'ByteLevel' },
        normalizer: { type: 'Nonsense' },
      },
    ],
  ])('refuses a tokenizer.json %s', (_, tokenizerJson) => {
    expect(() => createTokenizer({ tokenizerJson, tokenizerConfig: {} })).toThrow(
      expect.objectContaining({ code: 'tokenizer-invalid', hint: expect.any(String) }),
    );
  });

  describe.each(tokenizerNames)('of the kind %s', name => {
    const tokenizer = loadTokenizer(name);
    // Without the white space that phi3's turn tokens swallow there is nothing that this alphabet loses.
    const anyText = fc.string({ unit: 'binary', maxLength: 60 }).map(text => text.normalize('NFC'));

    it('decodes what it encodes', () => {
      fc.assert(
        fc.property(anyText, text => {
          expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
        }),
        { seed: 3, numRuns: 200 },
      );
    });

    it('streams whole characters that join to the decoded text', () => {
      fc.assert(
        fc.property(anyText, text => {
          const stream = tokenizer.streamDecoder();
          const pieces = tokenizer.encode(text).map(id => stream.push(id));
          expect(pieces.join('') + stream.end()).toBe(text);
          if (!text.includes('\uFFFD')) expect(pieces.join('')).not.toContain('\uFFFD');
        }),
        { seed: 5, numRuns: 200 },
      );
    });
  });

  it('ends a stream in the middle of a character with a replacement character', () => {
    const tokenizer = loadTokenizer('gemma');
    const stream = tokenizer.streamDecoder();
    const [first] = tokenizer.encode('🦀').map(id => stream.push(id));
    expect(first).toBe('');
    const broken = tokenizer.streamDecoder();
    broken.push(tokenizer.encode('🦀')[0]!);
    expect(broken.end()).toBe('\uFFFD');
  });
});
