/**
 * @file Running text or Markdown -> pieces of about a page, each a record {text} with the line on which it starts. Pieces end
 * between paragraphs, in Markdown also before headings and never inside a fenced block; only a paragraph longer than
 * a few pages is cut inside. Together they hold every character but the blank lines between them.
 */
import { brokenRow, maxRecordCharacters, type RecordOutcome } from './record.ts';
import { splitLines } from './splitLines.ts';

/** A piece ends at the first paragraph that would make it longer. About 400 tokens of English. */
const pieceCharacters = 1600;
/** A piece ends at a line, wherever that is, before it gets longer. */
const longestPiece = 6400;

export async function* readPlainText(
  file: string,
  chunks: AsyncIterable<string>,
  isMarkdown: boolean,
): AsyncGenerator<RecordOutcome, void, undefined> {
  const piece = new Piece();
  let fence: string | undefined;
  let isAfterBlank = false;
  for await (const { line, text } of splitLines(chunks)) {
    if (text === undefined) {
      yield* piece.take();
      const what = `expected lines of at most ${maxRecordCharacters} characters, got a longer one`;
      yield brokenRow(file, line, 'line-too-long', what, 'Break the line into paragraphs.');
      continue;
    }
    const isBlank = text.trim() === '';
    const isHeading = isMarkdown && fence === undefined && /^ {0,3}#{1,6}\s/.test(text);
    const startsBlock = fence === undefined && (isAfterBlank || isHeading);
    if (startsBlock && !isBlank && piece.isFull(isHeading)) yield* piece.take();
    if (isMarkdown) fence = followFence(fence, text);
    for (const part of cutLine(text)) {
      if (piece.length + part.length > longestPiece) yield* piece.take();
      piece.add(line, part);
    }
    isAfterBlank = isBlank;
  }
  yield* piece.take();
}

class Piece {
  private lines: string[] = [];
  private firstLine = 0;
  length = 0;

  add(line: number, text: string): void {
    if (this.lines.length === 0) {
      if (text.trim() === '') return;
      this.firstLine = line;
    }
    this.lines.push(text);
    this.length += text.length + 1;
  }

  /** A heading may begin a piece once the one before it has some text. */
  isFull(isHeading: boolean): boolean {
    return this.length >= (isHeading ? pieceCharacters / 2 : pieceCharacters);
  }

  *take(): Generator<RecordOutcome, void, undefined> {
    const text = this.lines.join('\n').trimEnd();
    const line = this.firstLine;
    this.lines = [];
    this.length = 0;
    if (text !== '') yield { kind: 'record', line, value: { text } };
  }
}

/** The fence that is open behind this line: three or more ` or ~, closed by as many of the same. */
function followFence(open: string | undefined, text: string): string | undefined {
  const mark = /^ {0,3}(`{3,}|~{3,})/.exec(text)?.[1];
  if (mark === undefined) return open;
  if (open === undefined) return mark;
  return mark.startsWith(open) ? undefined : open;
}

/** A line as it is, or one longer than a piece may be, cut behind sentences or words. */
function cutLine(text: string): string[] {
  const parts: string[] = [];
  let rest = text;
  while (rest.length > longestPiece) {
    const window = rest.slice(0, longestPiece);
    const sentence = Math.max(
      ...['. ', '! ', '? ', '。', '！', '？'].map(end => window.lastIndexOf(end) + end.length - 1),
    );
    const word = window.lastIndexOf(' ');
    let at =
      sentence > longestPiece / 2
        ? sentence + (window[sentence] === ' ' ? 0 : 1)
        : word > longestPiece / 2
          ? word
          : longestPiece;
    if (/[\ud800-\udbff]/.test(rest[at - 1]!)) at--;
    parts.push(rest.slice(0, at));
    rest = rest.slice(at);
  }
  return [...parts, rest];
}
