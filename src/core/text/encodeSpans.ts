/**
 * @file Text with spans -> token ids with a mark on each token that lies in a span.
 * The text is encoded as a whole, as the model saw text in its own training, and the tokens are laid back onto it byte by
 * byte. Where a token would straddle the border of a span the text is cut there and both sides are encoded apart: what
 * stands before the border is then tokenised exactly as it will be when the model is asked to go on from there, and no
 * token of the prompt is ever marked. transformers marks such a token; that trains on part of the prompt.
 */
import type { Span } from './compileTemplate.ts';
import type { TextTokenizer } from './tokenizer.ts';

export interface EncodedSpans {
  readonly tokenIds: number[];
  /** 1 for each token that lies in a span. */
  readonly inSpan: Uint8Array;
}

/** Where a token lies, in bytes of the whole text. White space that an added token swallows lies in none. */
interface Place {
  readonly start: number;
  readonly end: number;
}

interface Laid {
  readonly ids: number[];
  readonly places: Place[];
}

const utf8 = new TextEncoder();

/** @param spans in order, without overlap. */
export function encodeSpans(tokenizer: TextTokenizer, text: string, spans: readonly Span[]): EncodedSpans {
  const pieces = splitAtBorders(text, spans).map(piece =>
    tokenizer.unicodeForm === null ? piece : { ...piece, text: piece.text.normalize(tokenizer.unicodeForm) },
  );
  const starts = [0];
  for (const piece of pieces) starts.push(starts.at(-1)! + utf8.encode(piece.text).length);
  const borders = starts.slice(1, -1);

  const laid = layWithCuts(tokenizer, pieces, borders);
  const inSpan = new Uint8Array(laid.ids.length);
  let piece = 0;
  for (const [i, { start }] of laid.places.entries()) {
    while (piece < pieces.length - 1 && start >= starts[piece + 1]!) piece += 1;
    inSpan[i] = pieces[piece]?.marked ? 1 : 0;
  }
  return { tokenIds: laid.ids, inSpan };
}

interface Piece {
  readonly text: string;
  readonly marked: boolean;
}

function splitAtBorders(text: string, spans: readonly Span[]): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  const push = (end: number, marked: boolean) => {
    if (end > from) pieces.push({ text: text.slice(from, end), marked });
    from = end;
  };
  for (const span of spans) {
    push(span.start, false);
    push(span.end, true);
  }
  push(text.length, false);
  return pieces;
}

/** Lays the pieces as one text, then again with a cut at each border inside a token, until there is none. */
function layWithCuts(tokenizer: TextTokenizer, pieces: readonly Piece[], borders: readonly number[]): Laid {
  const cuts = new Set<number>();
  for (;;) {
    const laid = layStretches(tokenizer, pieces, borders, cuts);
    const straddled = findStraddled(laid.places, borders);
    if (straddled.length === 0) return laid;
    for (const border of straddled) cuts.add(border);
  }
}

/** The borders that lie inside a token; both lists are in order. */
function findStraddled(places: readonly Place[], borders: readonly number[]): number[] {
  const straddled: number[] = [];
  let token = 0;
  for (const border of borders) {
    while (token < places.length && places[token]!.end <= border) token += 1;
    if (token < places.length && places[token]!.start < border) straddled.push(border);
  }
  return straddled;
}

function layStretches(
  tokenizer: TextTokenizer,
  pieces: readonly Piece[],
  borders: readonly number[],
  cuts: ReadonlySet<number>,
): Laid {
  const ids: number[] = [];
  const places: Place[] = [];
  let stretch = '';
  let from = 0;
  for (const [i, piece] of pieces.entries()) {
    stretch += piece.text;
    const border = borders[i];
    if (border !== undefined && !cuts.has(border)) continue;
    const encoded = from === 0 ? tokenizer.encode(stretch) : encodeContinuation(tokenizer, stretch);
    const bytes = utf8.encode(stretch);
    // Tokens that cannot be laid onto the stretch all cover it: every border in it becomes a cut.
    const laid = layTokens(tokenizer, encoded, bytes) ?? encoded.map(() => ({ start: 0, end: bytes.length }));
    for (const id of encoded) ids.push(id);
    for (const { start, end } of laid) places.push({ start: from + start, end: from + end });
    from += bytes.length;
    stretch = '';
  }
  return { ids, places };
}

/** Tokens of a text that goes on: without the space that SentencePiece puts before a text that begins. */
function encodeContinuation(tokenizer: TextTokenizer, text: string): number[] {
  if (tokenizer.family === 'byteLevel') return tokenizer.encode(text);
  const anchor = tokenizer.encode('\n');
  const ids = tokenizer.encode(`\n${text}`);
  return anchor.every((id, i) => ids[i] === id) ? ids.slice(anchor.length) : tokenizer.encode(text);
}

const space = 0x20;
const isAsciiSpace = (byte: number | undefined): boolean =>
  byte === space || (byte !== undefined && byte >= 9 && byte <= 13);

/** The place of each token; null when the tokens do not spell the text (an unknown character, lowered case). */
function layTokens(tokenizer: TextTokenizer, ids: readonly number[], text: Uint8Array): Place[] | null {
  const places: Place[] = [];
  let at = 0;
  for (const id of ids) {
    const bytes = tokenizer.tokenBytes(id);
    let end = matchAt(text, at, bytes, tokenizer.family === 'sentencePiece');
    // Added tokens may swallow the white space beside them.
    for (let start = at; end === null && isAsciiSpace(text[start]); ) {
      start += 1;
      end = matchAt(text, start, bytes, tokenizer.family === 'sentencePiece');
      if (end !== null) at = start;
    }
    if (end === null) return null;
    places.push({ start: at, end });
    at = end;
  }
  for (let i = at; i < text.length; i++) if (!isAsciiSpace(text[i])) return null;
  // A token without bytes (SentencePiece's space before a text) belongs to what follows it.
  for (let i = places.length - 2; i >= 0; i--) {
    const { start, end } = places[i]!;
    if (start === end) places[i] = { start: places[i + 1]!.start, end: places[i + 1]!.start };
  }
  return places;
}

/** The end of the token's bytes at `at`, also without a space before them that the text does not have. */
function matchAt(text: Uint8Array, at: number, bytes: Uint8Array, mayDropSpace: boolean): number | null {
  const matches = (from: number): boolean => {
    for (let i = from; i < bytes.length; i++) if (text[at + i - from] !== bytes[i]) return false;
    return true;
  };
  if (matches(0)) return at + bytes.length;
  return mayDropSpace && bytes[0] === space && matches(1) ? at + bytes.length - 1 : null;
}
