/**
 * @file JSON text -> where each value ends, or where and how it breaks (RFC 8259).
 * JSON.parse says neither in a stable way; this walks the text once, without recursion, and builds nothing.
 */

/** Where the text stops being JSON. `offset` counts UTF-16 units from the start of the text. */
export interface JsonBreak {
  readonly offset: number;
  readonly expected: string;
  readonly got: string;
}

export class JsonBreakError extends Error {
  readonly at: JsonBreak;
  constructor(at: JsonBreak) {
    super(`expected ${at.expected}, got ${at.got}`);
    this.at = at;
  }
}

const maxDepth = 512;

/** The first place at which `text` is not one JSON value, or undefined when it is one. */
export function findJsonBreak(text: string): JsonBreak | undefined {
  try {
    const end = skipSpace(text, skipValue(text, skipSpace(text, 0)));
    return end < text.length ? describeBreak(text, end, 'the end of the line after the value') : undefined;
  } catch (error) {
    if (error instanceof JsonBreakError) return error.at;
    throw error;
  }
}

/** The offset of the next character that is not JSON white space. */
export function skipSpace(text: string, from: number): number {
  let at = from;
  for (;;) {
    const c = text.charCodeAt(at);
    if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return at;
    at++;
  }
}

/** The offset just after the value that starts at `from`. @throws JsonBreakError */
export function skipValue(text: string, from: number): number {
  const open: ('[' | '{')[] = [];
  let at = from;
  for (;;) {
    at = skipSpace(text, at);
    const c = text[at];
    if (c === '[' || c === '{') {
      if (open.length >= maxDepth) throw breakAt(text, at, `at most ${maxDepth} nested brackets`);
      const next = skipSpace(text, at + 1);
      const isEmpty = text[next] === (c === '[' ? ']' : '}');
      if (!isEmpty) {
        open.push(c);
        at = c === '{' ? skipKey(text, next) : next;
        continue;
      }
      at = next + 1;
    } else {
      at = skipScalar(text, at);
    }
    // A value ended: close what ends with it, then go on to the next value.
    for (;;) {
      const inside = open.at(-1);
      if (inside === undefined) return at;
      at = skipSpace(text, at);
      const close = inside === '[' ? ']' : '}';
      if (text[at] === close) {
        open.pop();
        at++;
        continue;
      }
      if (text[at] !== ',') throw breakAt(text, at, `"," or "${close}"`);
      at = skipSpace(text, at + 1);
      if (inside === '{') at = skipKey(text, at);
      break;
    }
  }
}

/** The offset just after `"key" :`. @throws JsonBreakError */
export function skipKey(text: string, from: number): number {
  if (text[from] !== '"') throw breakAt(text, from, 'a name in double quotes');
  const colon = skipSpace(text, skipString(text, from));
  if (text[colon] !== ':') throw breakAt(text, colon, '":" after the name');
  return colon + 1;
}

const scalar = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null/y;

function skipScalar(text: string, from: number): number {
  if (text[from] === '"') return skipString(text, from);
  scalar.lastIndex = from;
  const match = scalar.exec(text);
  if (match === null) throw breakAt(text, from, 'a JSON value');
  return from + match[0].length;
}

/** The offset just after the string that starts at `from`. @throws JsonBreakError */
export function skipString(text: string, from: number): number {
  for (let at = from + 1; ; at++) {
    const c = text.charCodeAt(at);
    if (c === 0x22) return at + 1;
    if (Number.isNaN(c) || c === 0x0a) throw breakAt(text, at, 'a closing double quote');
    if (c < 0x20) throw breakAt(text, at, 'control characters in strings to be escaped');
    if (c === 0x5c) at = skipEscape(text, at);
  }
}

const hex4 = /[0-9a-fA-F]{4}/y;

/** The offset of the last character of the escape that starts at `from`. */
function skipEscape(text: string, from: number): number {
  const c = text[from + 1];
  if (c === 'u') {
    hex4.lastIndex = from + 2;
    if (!hex4.test(text)) throw breakAt(text, from, 'four hexadecimal digits after \\u');
    return from + 5;
  }
  if (c === undefined || !'"\\/bfnrt'.includes(c)) throw breakAt(text, from, 'a valid escape after the backslash');
  return from + 1;
}

export function breakAt(text: string, offset: number, expected: string): JsonBreakError {
  return new JsonBreakError(describeBreak(text, offset, expected));
}

function describeBreak(text: string, offset: number, expected: string): JsonBreak {
  const word = /^[\p{L}\p{N}_.+-]+/u.exec(text.slice(offset, offset + 24))?.[0];
  const character = text.slice(offset, offset + 1);
  const got =
    offset >= text.length
      ? 'the end of the text'
      : word !== undefined
        ? `"${word}"`
        : character === '\n' || character === '\r'
          ? 'the end of the line'
          : character < ' '
            ? `the control character 0x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
            : `'${character}'`;
  return { offset, expected, got };
}
