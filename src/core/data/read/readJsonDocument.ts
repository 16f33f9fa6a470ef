/** @file A JSON document (an array, or an object that holds one) -> its elements with the line on which each starts. */
import { TuneError } from '../../../shared/errors.ts';
import { breakAt, JsonBreakError, skipKey, skipSpace, skipValue } from './checkJson.ts';
import { maxDocumentBytes, type RecordOutcome } from './record.ts';

/** Names under which an object keeps its rows, most telling first; another name is taken when it is the only one. */
const rowNames = ['data', 'rows', 'examples', 'records', 'items', 'train', 'instances', 'samples', 'dataset'];

/**
 * One record for each element. The document is held in memory.
 * @throws TuneError `dataset-invalid` with the line where the document stops being JSON: nothing after it can be trusted.
 */
export async function* readJsonDocument(
  file: string,
  chunks: AsyncIterable<string>,
): AsyncGenerator<RecordOutcome, void, undefined> {
  const text = await joinChunks(file, chunks);
  try {
    const start = skipSpace(text, 0);
    if (start >= text.length) return;
    const end = skipSpace(text, skipValue(text, start));
    if (end < text.length) throw breakAt(text, end, 'the end of the file after the value');
    yield* readElements(text, findRows(text, start));
  } catch (error) {
    if (error instanceof JsonBreakError) throw toTuneError(file, text, error);
    throw error;
  }
}

async function joinChunks(file: string, chunks: AsyncIterable<string>): Promise<string> {
  const pieces: string[] = [];
  let characters = 0;
  for await (const chunk of chunks) {
    characters += chunk.length;
    if (characters > maxDocumentBytes) {
      const mebi = maxDocumentBytes / 1024 / 1024;
      throw new TuneError(
        'dataset-unreadable',
        `${file}: expected a JSON document of at most ${mebi} MiB, got a larger one`,
        {
          file,
          hint: 'Convert it to JSONL (jq -c ".[]" in.json > out.jsonl), which is read line by line.',
        },
      );
    }
    pieces.push(chunk);
  }
  return pieces.join('');
}

/** The offset of the array of rows, or of the object itself when it is one row. The text is known to be valid. */
function findRows(text: string, start: number): number {
  if (text[start] !== '{') return start;
  const arrays = new Map<string, number>();
  for (let at = skipSpace(text, start + 1); text[at] === '"'; ) {
    const afterKey = skipKey(text, at);
    const key: unknown = JSON.parse(text.slice(at, text.lastIndexOf('"', afterKey - 1) + 1));
    const valueStart = skipSpace(text, afterKey);
    if (text[valueStart] === '[' && text[skipSpace(text, valueStart + 1)] === '{') arrays.set(String(key), valueStart);
    const next = skipSpace(text, skipValue(text, valueStart));
    at = text[next] === ',' ? skipSpace(text, next + 1) : next;
  }
  const named = rowNames.find(name => arrays.has(name));
  if (named !== undefined) return arrays.get(named)!;
  const [only, ...others] = arrays;
  const isOneRow = only === undefined || others.length > 0 || ['messages', 'conversations'].includes(only[0]);
  return isOneRow ? start : only[1];
}

function* readElements(text: string, start: number): Generator<RecordOutcome, void, undefined> {
  if (text[start] !== '[') {
    yield {
      kind: 'record',
      line: lineAt(text, 0, 1, start),
      value: JSON.parse(text.slice(start, skipValue(text, start))),
    };
    return;
  }
  let line = 1;
  let counted = 0;
  for (let at = skipSpace(text, start + 1); text[at] !== ']'; ) {
    line = lineAt(text, counted, line, at);
    counted = at;
    const end = skipValue(text, at);
    yield { kind: 'record', line, value: JSON.parse(text.slice(at, end)) };
    const next = skipSpace(text, end);
    at = text[next] === ',' ? skipSpace(text, next + 1) : next;
  }
}

/** The line of offset `to`, given that offset `from` is on `line`. */
function lineAt(text: string, from: number, line: number, to: number): number {
  let count = line;
  for (let i = text.indexOf('\n', from); i >= 0 && i < to; i = text.indexOf('\n', i + 1)) count++;
  return count;
}

function toTuneError(file: string, text: string, { at }: JsonBreakError): TuneError {
  const line = lineAt(text, 0, 1, at.offset);
  const column = at.offset - text.lastIndexOf('\n', at.offset - 1);
  return new TuneError(
    'dataset-invalid',
    `${file}:${line}: expected ${at.expected} at column ${column}, got ${at.got}`,
    {
      file,
      line,
      hint: 'Correct the JSON there. A file with one object a line should be named .jsonl.',
    },
  );
}
