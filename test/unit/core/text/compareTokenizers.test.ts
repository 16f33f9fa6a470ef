import { describe, expect, it } from 'vitest';
import { findDifference } from '../../../../src/core/text/compareTokenizers.ts';
import type { TextTokenizer } from '../../../../src/core/text/tokenizer.ts';
import { loadTokenizer } from './smallTokenizers.ts';

describe('findDifference', () => {
  it('finds none between a tokenizer and itself', () => {
    expect(findDifference(loadTokenizer('smollm'), loadTokenizer('smollm'))).toBeUndefined();
  });

  it('names what differs: number of tokens, special tokens, one token', () => {
    const own = loadTokenizer('smollm');
    const change = (changes: Partial<TextTokenizer>): TextTokenizer => ({ ...own, ...changes });
    expect(findDifference(own, change({ vocabularySize: 7 }))).toEqual({
      expected: `${own.vocabularySize} tokens`,
      got: '7',
    });
    const [[text, id]] = [...own.specialTokens] as [[string, number]];
    const fewer = new Map(own.specialTokens);
    fewer.delete(text);
    expect(findDifference(own, change({ specialTokens: fewer }))).toEqual({
      expected: `the special token ${text} as ${id}`,
      got: 'none',
    });
    expect(findDifference(change({ specialTokens: fewer }), own)?.expected).toBe(`no special token ${text}`);
    const tokenBytes = (token: number) => own.tokenBytes(token === 40 ? 41 : token);
    expect(findDifference(own, change({ tokenBytes }))?.expected).toMatch(/^token 40 as /);
  });
});
