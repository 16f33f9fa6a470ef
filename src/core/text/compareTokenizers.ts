/** @file Two tokenizers -> what differs between them, so that one model's token ids mean the same to another. */
import type { TextTokenizer } from './tokenizer.ts';

/** The first difference in words for people, as expected and got; undefined when every id means the same. */
export function findDifference(
  expected: TextTokenizer,
  actual: TextTokenizer,
): { readonly expected: string; readonly got: string } | undefined {
  if (actual.vocabularySize !== expected.vocabularySize) {
    return { expected: `${expected.vocabularySize} tokens`, got: `${actual.vocabularySize}` };
  }
  for (const [text, id] of expected.specialTokens) {
    const other = actual.specialTokens.get(text);
    if (other !== id)
      return { expected: `the special token ${text} as ${id}`, got: other === undefined ? 'none' : `${other}` };
  }
  for (const text of actual.specialTokens.keys()) {
    if (!expected.specialTokens.has(text)) return { expected: `no special token ${text}`, got: 'one' };
  }
  for (let id = 0; id < expected.vocabularySize; id++) {
    const [a, b] = [expected.tokenBytes(id), actual.tokenBytes(id)];
    if (a.length === b.length && a.every((byte, i) => byte === b[i])) continue;
    const show = (tokenizer: TextTokenizer): string => JSON.stringify(tokenizer.tokenText(id));
    return { expected: `token ${id} as ${show(expected)}`, got: show(actual) };
  }
  return undefined;
}
