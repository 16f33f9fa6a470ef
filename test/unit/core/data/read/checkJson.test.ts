import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findJsonBreak } from '../../../../../src/core/data/read/checkJson.ts';

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

describe('findJsonBreak', () => {
  it('agrees with JSON.parse on whole, cut and mutated documents', () => {
    const document = fc.tuple(fc.json(), fc.boolean()).map(([text, isIndented]) => {
      return isIndented ? JSON.stringify(JSON.parse(text), null, 1) : text;
    });
    const edit = fc.tuple(
      fc.nat(),
      fc.constantFrom('', '"', '{', '}', '[', ']', ',', ':', '\\', '\n', '0', '-', 'e', '.', 'u', ' '),
    );
    fc.assert(
      fc.property(document, fc.array(edit, { maxLength: 3 }), (text, edits) => {
        let mutated = text;
        for (const [at, character] of edits) {
          const i = at % (mutated.length + 1);
          mutated = mutated.slice(0, i) + character + mutated.slice(i + (at % 2));
        }
        expect(findJsonBreak(mutated) === undefined).toBe(isJson(mutated));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['{"a": 1,}', 8, 'a name in double quotes', "'}'"],
    ['{"a" 1}', 5, '":" after the name', '"1"'],
    ['[1 2]', 3, '"," or "]"', '"2"'],
    ['{"a": tru}', 6, 'a JSON value', '"tru"'],
    ['{"a": "b', 8, 'a closing double quote', 'the end of the text'],
    ['{"a": "\\x"}', 7, 'a valid escape after the backslash', "'\\'"],
    ['{"a": "\t"}', 7, 'control characters in strings to be escaped', 'the control character 0x09'],
    ['{} {}', 3, 'the end of the line after the value', "'{'"],
    ['', 0, 'a JSON value', 'the end of the text'],
  ])('names the place where %j breaks', (text, offset, expected, got) => {
    expect(findJsonBreak(text)).toEqual({ offset, expected, got });
  });

  it('refuses nesting that has no end without running out of stack', () => {
    expect(findJsonBreak('['.repeat(1_000_000))).toMatchObject({ expected: 'at most 512 nested brackets' });
  });
});
