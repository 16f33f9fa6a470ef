import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunkDocument, estimateTokens } from '../../../../../src/core/data/documents/chunkDocument.ts';
import type { Passage } from '../../../../../src/core/data/documents/passage.ts';

const countTokens = (text: string) => text.split(/\s+/).filter(Boolean).length;
const passage = (text: string, first = 1): Passage => ({
  text,
  lines: [first, first + text.split('\n').length - 1],
  page: null,
});
const chunk = (passages: Passage[], chunkTokens: number, overlapTokens = 0) =>
  chunkDocument({ file: 'a.md', sha256: '', passages }, { chunkTokens, overlapTokens, countTokens });

describe('chunkDocument', () => {
  it('cuts between sentences, the last of a chunk at the beginning of the next, each with its lines', () => {
    const chunks = chunk([passage('One two. Three four.\nFive six.', 10), passage('Seven eight nine.', 13)], 6, 2);
    expect(chunks.map(({ text, lines }) => [text, lines])).toEqual([
      ['One two. Three four.\nFive six.', [10, 11]],
      ['Five six.\n\nSeven eight nine.', [11, 13]],
    ]);
  });

  it('divides a sentence that is longer than a chunk', () => {
    const chunks = chunk([passage('a '.repeat(50).trim())], 8);
    expect(chunks.every(({ tokens }) => tokens <= 8)).toBe(true);
    expect(chunks.map(({ text }) => text).join(' ')).toBe('a '.repeat(50).trim());
  });

  it('loses no word, whatever the text, the size and the overlap, and keeps to the size', () => {
    const text = fc
      .array(fc.array(fc.stringMatching(/^[a-z]{1,6}[.!?]?$/), { minLength: 1, maxLength: 12 }), { maxLength: 6 })
      .map(paragraphs => paragraphs.map(words => words.join(' ')));
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 8 }), (paragraphs, size, overlap) => {
        const chunks = chunk(
          paragraphs.map(p => passage(p)),
          size,
          overlap,
        );
        for (const { tokens } of chunks) expect(tokens).toBeLessThanOrEqual(size);
        const without = chunk(
          paragraphs.map(p => passage(p)),
          size,
          0,
        );
        expect(
          without
            .flatMap(({ text }) => text.split(/\s+/))
            .filter(Boolean)
            .join(' '),
        ).toBe(paragraphs.join(' '));
        const words = new Set(chunks.flatMap(({ text }) => text.split(/\s+/)));
        for (const word of paragraphs.join(' ').split(' ').filter(Boolean)) expect(words).toContain(word);
      }),
      { seed: 7, numRuns: 200 },
    );
  });
});

describe('estimateTokens', () => {
  it('counts long words by their length, each character of Chinese, and signs', () => {
    expect(estimateTokens('The cat sat.')).toBe(4);
    expect(estimateTokens('internationalisation')).toBe(4);
    expect(estimateTokens('你好吗')).toBe(3);
  });
});
