/**
 * @file JSON text -> values, stricter than JSON.parse: a name that occurs twice in one object is an error, objects become
 * Maps (so that a name such as `__proto__` is only a name), and nesting is bounded. For headers of model files.
 */

export type StrictJson = string | number | boolean | null | readonly StrictJson[] | ReadonlyMap<string, StrictJson>;

/** What is wrong with the text; the caller adds the file's name. */
export class StrictJsonError extends Error {}

const maxDepth = 32;
const whitespace = /[ \t\n\r]*/y;
const numberToken = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** @throws StrictJsonError */
export function parseStrictJson(text: string): StrictJson {
  let at = 0;

  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const fail = (expected: string): never => {
    const got = at < text.length ? JSON.stringify(text.slice(at, at + 12)) : 'the end of the text';
    throw new StrictJsonError(`expected ${expected} at character ${at}, got ${got}`);
  };
  const skip = (character: string): boolean => {
    take(whitespace);
    if (text[at] !== character) return false;
    at++;
    return true;
  };

  const parseString = (): string => {
    take(whitespace);
    if (text[at] !== '"') fail('a string');
    let end = at + 1;
    while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
    try {
      const value = JSON.parse(text.slice(at, end + 1)) as string;
      at = end + 1;
      return value;
    } catch {
      return fail('a complete string with valid escapes');
    }
  };

  const parseObject = (depth: number): ReadonlyMap<string, StrictJson> => {
    const entries = new Map<string, StrictJson>();
    if (skip('}')) return entries;
    do {
      const name = parseString();
      if (entries.has(name)) throw new StrictJsonError(`expected each name once, got ${JSON.stringify(name)} twice`);
      if (!skip(':')) fail('":"');
      entries.set(name, parseValue(depth + 1));
    } while (skip(','));
    if (!skip('}')) fail('"," or "}"');
    return entries;
  };

  const parseArray = (depth: number): readonly StrictJson[] => {
    const items: StrictJson[] = [];
    if (skip(']')) return items;
    do items.push(parseValue(depth + 1));
    while (skip(','));
    if (!skip(']')) fail('"," or "]"');
    return items;
  };

  const parseWord = (word: string, value: StrictJson): StrictJson => {
    if (!text.startsWith(word, at)) fail('a value');
    at += word.length;
    return value;
  };

  const parseValue = (depth: number): StrictJson => {
    if (depth > maxDepth) throw new StrictJsonError(`expected at most ${maxDepth} levels of nesting, got more`);
    if (skip('{')) return parseObject(depth);
    if (skip('[')) return parseArray(depth);
    switch (text[at]) {
      case '"':
        return parseString();
      case 't':
        return parseWord('true', true);
      case 'f':
        return parseWord('false', false);
      case 'n':
        return parseWord('null', null);
      default:
        return Number(take(numberToken) || fail('a value'));
    }
  };

  const value = parseValue(0);
  take(whitespace);
  if (at < text.length) fail('the end of the text');
  return value;
}
