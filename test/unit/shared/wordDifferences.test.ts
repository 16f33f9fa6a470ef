import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diffWords } from '../../../src/shared/wordDifferences.ts';

const bare = (text: string): string => text.replace(/\s+/g, '');

describe('diffWords', () => {
  it('marks what is left out and what is added', () => {
    expect(diffWords('the gate closes at six', 'the old gate closes at seven')).toEqual([
      { kind: 'same', text: 'the ' },
      { kind: 'added', text: 'old ' },
      { kind: 'same', text: 'gate closes at ' },
      { kind: 'removed', text: 'six' },
      { kind: 'added', text: 'seven' },
    ]);
  });

  it('loses nothing of either text', () => {
    const words = fc
      .array(fc.constantFrom('a', 'b', 'c', 'dd', '是', '.', 'é'), { maxLength: 40 })
      .map(list => list.join(' '));
    fc.assert(
      fc.property(words, words, (before, after) => {
        const parts = diffWords(before, after);
        const join = (left: string) =>
          parts
            .filter(({ kind }) => kind !== left)
            .map(({ text }) => text)
            .join('');
        expect(bare(join('removed'))).toBe(bare(after));
        expect(bare(join('added'))).toBe(bare(before));
      }),
    );
  });

  it('gives up in order on texts that share nothing and are long', () => {
    const [a, b] = ['x ', 'y '].map(word => Array.from({ length: 2000 }, (_, i) => `${word}${i} `).join(''));
    expect(diffWords(a!, b!).map(({ kind }) => kind)).toEqual(['removed', 'added']);
  });
});
