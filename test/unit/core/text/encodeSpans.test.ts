import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeSpans } from '../../../../src/core/text/encodeSpans.ts';
import { loadTokenizer, tokenizerNames } from './smallTokenizers.ts';

const spell = (tokenizer: ReturnType<typeof loadTokenizer>, ids: readonly number[]): string =>
  Buffer.concat(ids.map(id => tokenizer.tokenBytes(id))).toString('utf8');

describe('encodeSpans', () => {
  it('encodes the prompt as it will be encoded alone when a token would straddle its end', () => {
    const tokenizer = loadTokenizer('llama3');
    const text = 'one\n\ntwo';
    const whole = tokenizer.encode(text);
    const { tokenIds, inSpan } = encodeSpans(tokenizer, text, [{ start: 4, end: text.length }]);
    const prompt = tokenIds.filter((_, i) => inSpan[i] === 0);
    expect(tokenIds).not.toEqual(whole);
    expect(prompt).toEqual(tokenizer.encode('one\n'));
  });

  it('puts no second space before a SentencePiece text that goes on', () => {
    const tokenizer = loadTokenizer('mistral');
    const { tokenIds } = encodeSpans(tokenizer, 'signals', [{ start: 2, end: 5 }]);
    expect(spell(tokenizer, tokenIds)).toBe(' signals');
  });

  it('gives the tokens of a text without spans as they are', () => {
    const tokenizer = loadTokenizer('qwen');
    expect(encodeSpans(tokenizer, 'What is a neuron?', []).tokenIds).toEqual(tokenizer.encode('What is a neuron?'));
    expect(encodeSpans(tokenizer, '', []).tokenIds).toEqual([]);
  });

  it.each(tokenizerNames.filter(name => name !== 'phi3'))('marks exactly the text of the spans with %s', name => {
    const tokenizer = loadTokenizer(name);
    const piece = fc.string({ unit: fc.constantFrom(...'abe st\n\n  .,3é日🎉'), maxLength: 12 });
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 7 }), pieces => {
        const spans: { start: number; end: number }[] = [];
        let text = '';
        for (const [i, part] of pieces.entries()) {
          if (i % 2 === 1) spans.push({ start: text.length, end: text.length + part.length });
          text += part;
        }
        const { tokenIds, inSpan } = encodeSpans(tokenizer, text, spans);
        expect(inSpan).toHaveLength(tokenIds.length);
        const marked = spell(
          tokenizer,
          tokenIds.filter((_, i) => inSpan[i] === 1),
        );
        const said = spans.map(span => text.slice(span.start, span.end)).join('');
        const others = spell(
          tokenizer,
          tokenIds.filter((_, i) => inSpan[i] === 0),
        );
        // SentencePiece writes one space that is not in the text: before its first token, on whichever side that is.
        const isSame = (a: string, b: string) => a === b || (tokenizer.family === 'sentencePiece' && a === ` ${b}`);
        expect(isSame(marked, said)).toBe(true);
        expect(isSame(others, pieces.filter((_, i) => i % 2 === 0).join(''))).toBe(true);
      }),
      { seed: 11, numRuns: 300 },
    );
  });
});
