/** @file Chunks of text -> its lines with their numbers, one in memory at a time. */
import { maxRecordCharacters } from './record.ts';

export interface Line {
  readonly line: number;
  /** Undefined when the line is longer than is taken. */
  readonly text: string | undefined;
}

/** Lines end with \n or \r\n; the last one need not end. */
export async function* splitLines(chunks: AsyncIterable<string>): AsyncGenerator<Line, void, undefined> {
  let line = 1;
  let pieces: string[] = [];
  let held = 0;
  const hold = (piece: string) => {
    held += piece.length;
    if (held <= maxRecordCharacters) pieces.push(piece);
    else pieces = [];
  };
  const take = (): Line => {
    const text = held > maxRecordCharacters ? undefined : pieces.join('');
    pieces = [];
    held = 0;
    return { line: line++, text };
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf('\n'); end >= 0; end = chunk.indexOf('\n', start)) {
      hold(chunk.slice(start, end));
      start = end + 1;
      yield take();
    }
    hold(chunk.slice(start));
  }
  if (held > 0) yield take();
}
