/**
 * @file A text -> the same with UTF-8 that was read as Windows-1252 (or Latin-1) put right, once or several times over; and
 * whether characters were lost for good. Only sequences whose meaning is plausible count: "É–" is not taken for one letter.
 */

/** The bytes of the characters that Windows-1252 has at 0x80 to 0x9F. */
const bytesByCharacter = new Map<number, number>(
  [
    0x20ac, 0x81, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8d, 0x017d,
    0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d,
    0x017e, 0x0178,
  ].map((code, i) => [code, 0x80 + i]),
);

const suspect = /[\u00c2-\u00f4]/;
const mostRounds = 3;

export function mendMojibake(text: string): string {
  let mended = text;
  for (let round = 0; round < mostRounds && suspect.test(mended); round++) {
    const next = mendOnce(mended);
    if (next === mended) break;
    mended = next;
  }
  return mended;
}

/** Whether some characters cannot be had back: replacement characters, or what those become when misread again. */
export function hasLostCharacters(text: string): boolean {
  return /\ufffd|锟斤拷|ï¿½|烫烫烫|屯屯屯/.test(text);
}

interface Sequence {
  readonly start: number;
  readonly end: number;
  readonly character: string;
  /** Whether it is one by itself, or only beside others. */
  readonly isCertain: boolean;
}

function mendOnce(text: string): string {
  const sequences = [...findSequences(text)];
  const doubtful = sequences.filter(({ isCertain }) => !isCertain).length;
  const taken = doubtful < sequences.length || doubtful >= 3 ? sequences : [];
  if (taken.length === 0) return text;
  let mended = '';
  let behind = 0;
  for (const { start, end, character } of taken) {
    mended += text.slice(behind, start) + character;
    behind = end;
  }
  return mended + text.slice(behind);
}

function* findSequences(text: string): Generator<Sequence, void, undefined> {
  let nestedAt = -1;
  let nestedLeft = 0;
  for (let start = 0; start < text.length; start++) {
    const lead = text.charCodeAt(start);
    if (lead < 0xc2 || lead > 0xf4) continue;
    const length = lengthOf(lead);
    let code = lead & (0xff >> (length + 1));
    let at = start + 1;
    for (; at < start + length; at++) {
      const byte = byteOf(text.charCodeAt(at));
      if (byte === undefined) break;
      code = (code << 6) | (byte & 0x3f);
    }
    if (at < start + length || !isScalar(code, length)) continue;
    const isNested = start === nestedAt;
    const sure = isNested || isCertain(lead, code, length, text.charCodeAt(start + 1));
    yield { start, end: at, character: String.fromCodePoint(code), isCertain: sure };
    // Text misread twice: what becomes the first half of a sequence is followed by its second half.
    if (isNested) nestedLeft--;
    else nestedLeft = sure && code >= 0xc2 && code <= 0xf4 ? lengthOf(code) - 1 : 0;
    nestedAt = nestedLeft > 0 ? at : -1;
    start = at - 1;
  }
}

function lengthOf(lead: number): number {
  return lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
}

/** The byte that a misread continuation stands for. NaN (the end of the text) has none. */
function byteOf(code: number): number | undefined {
  if (code >= 0x80 && code <= 0xbf) return code;
  return bytesByCharacter.get(code);
}

function isScalar(code: number, length: number): boolean {
  const least = length === 2 ? 0x80 : length === 3 ? 0x800 : 0x10000;
  return code >= least && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
}

/** Letters and signs of Western Europe, punctuation, and everything of three and four bytes; other pairs may be honest text. */
function isCertain(lead: number, code: number, length: number, next: number): boolean {
  if (length > 2) return code < 0xe000 || code >= 0xf900;
  // A control character stands in no honest text.
  return lead === 0xc3 || (lead === 0xc2 && code >= 0xa0) || (next >= 0x80 && next <= 0x9f);
}
