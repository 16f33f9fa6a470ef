/**
 * @file A document's passages -> chunks of whole sentences, at most so many tokens each, the last sentences of one at the
 * beginning of the next: as LlamaIndex's SentenceSplitter cuts (chunk size 1,024 tokens, overlap 200), with the sentences of
 * Unicode (UAX #29) in place of a trained splitter, and with the place of each chunk in its file.
 */
import type { Passage, SourceDocument } from './passage.ts';

export interface ChunkOptions {
  readonly chunkTokens: number;
  readonly overlapTokens: number;
  readonly countTokens: (text: string) => number;
}

export interface Chunk extends Passage {
  readonly file: string;
  readonly tokens: number;
}

interface Sentence extends Passage {
  readonly tokens: number;
  readonly startsParagraph: boolean;
}

export function chunkDocument({ file, passages }: SourceDocument, options: ChunkOptions): Chunk[] {
  const sentences = passages.flatMap(passage => splitSentences(passage, options));
  const chunks: Chunk[] = [];
  let from = 0;
  while (from < sentences.length) {
    let tokens = 0;
    let to = from;
    while (to < sentences.length && (to === from || tokens + sentences[to]!.tokens <= options.chunkTokens)) {
      tokens += sentences[to]!.tokens;
      to++;
    }
    chunks.push({ file, tokens, ...join(sentences.slice(from, to)) });
    if (to === sentences.length) break;
    from = stepBack(sentences, from, to, options);
  }
  return chunks;
}

/** Where the next chunk begins: as many sentences back as overlap, and as leave room for a new one. */
function stepBack(sentences: readonly Sentence[], from: number, to: number, options: ChunkOptions): number {
  const room = Math.min(options.overlapTokens, options.chunkTokens - sentences[to]!.tokens);
  let start = to;
  for (let overlap = 0; start - 1 > from; start--) {
    overlap += sentences[start - 1]!.tokens;
    if (overlap > room) break;
  }
  return start;
}

function splitSentences({ text, lines, page }: Passage, { chunkTokens, countTokens }: ChunkOptions): Sentence[] {
  const sentences: Sentence[] = [];
  const segmenter = new Intl.Segmenter(undefined, { granularity: 'sentence' });
  for (const { segment, index } of segmenter.segment(text)) {
    let offset = index;
    for (const part of divide(segment, chunkTokens, countTokens)) {
      const place = lines === null ? null : placeIn(text, lines, offset, part);
      const tokens = Math.max(1, countTokens(part));
      sentences.push({ text: part, tokens, lines: place, page, startsParagraph: offset === 0 });
      offset += part.length;
    }
  }
  return sentences;
}

/** A sentence longer than a chunk in pieces at white space, or through a word where there is none. */
function divide(sentence: string, chunkTokens: number, countTokens: (text: string) => number): string[] {
  const parts: string[] = [];
  const left = [sentence];
  while (left.length > 0) {
    const text = left.pop()!;
    if (text.length < 2 || countTokens(text) <= chunkTokens) {
      parts.push(text);
      continue;
    }
    const middle = text.length >> 1;
    const before = text.slice(0, -1).lastIndexOf(' ', middle);
    const space = before > 0 ? before : text.slice(0, -1).indexOf(' ', middle);
    const at = space > 0 ? space + 1 : isInsidePair(text, middle) ? middle + 1 : middle;
    left.push(text.slice(at), text.slice(0, at));
  }
  return parts.filter(part => part !== '');
}

const isInsidePair = (text: string, at: number): boolean => /^[\udc00-\udfff]/.test(text.slice(at, at + 1));

/** Passages that were folded have fewer line ends than lines; the whole passage's lines stand for their parts then. */
function placeIn(
  text: string,
  [first, last]: readonly [number, number],
  offset: number,
  part: string,
): [number, number] {
  const all = countLineEnds(text);
  if (all !== last - first) return [first, last];
  const start = first + countLineEnds(text.slice(0, offset));
  return [start, start + countLineEnds(part.trimEnd())];
}

const countLineEnds = (text: string): number => text.split('\n').length - 1;

function join(sentences: readonly Sentence[]): Passage {
  let text = '';
  for (const { text: part, startsParagraph } of sentences) {
    if (startsParagraph && text !== '') text = `${text.trimEnd()}\n\n`;
    text += part;
  }
  const [first, last] = [sentences[0]!, sentences.at(-1)!];
  const lines = first.lines === null || last.lines === null ? null : ([first.lines[0], last.lines[1]] as const);
  return { text: text.trim(), lines, page: first.page };
}

/** Without a tokenizer: about what the tokenizers of today make of words, characters of Chinese or Japanese, and signs. */
export function estimateTokens(text: string): number {
  let tokens = 0;
  for (const [piece] of text.matchAll(
    /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]|[\p{L}\p{M}]+|\p{N}{1,3}|[^\s\p{L}\p{N}]/gu,
  ))
    tokens += Math.ceil(piece.length / 6);
  return tokens;
}
