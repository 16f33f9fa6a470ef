/** @file Chunks of JSONL text -> one record a line, with its line number. Blank lines are not rows. */
import { findJsonBreak } from './checkJson.ts';
import { brokenRow, maxRecordCharacters, type RecordOutcome } from './record.ts';
import { splitLines } from './splitLines.ts';

/** One outcome for each line that is not blank. Holds one line at a time. */
export async function* readJsonLines(
  file: string,
  chunks: AsyncIterable<string>,
): AsyncGenerator<RecordOutcome, void, undefined> {
  for await (const { line, text } of splitLines(chunks)) {
    if (text === undefined) yield lineTooLong(file, line);
    else if (text.trim() !== '') yield parseLine(file, line, text);
  }
}

function parseLine(file: string, line: number, text: string): RecordOutcome {
  try {
    return { kind: 'record', line, value: JSON.parse(text) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const at = findJsonBreak(text);
    const where = at === undefined ? '' : ` at column ${at.offset + 1}`;
    const expected = at === undefined ? 'one JSON object' : at.expected;
    const got = at === undefined ? error.message : at.got;
    return brokenRow(file, line, 'json-invalid', `expected ${expected}${where}, got ${got}`, fixFor(got, expected));
  }
}

function fixFor(got: string, expected: string): string {
  if (got === '"NaN"' || got.includes('Infinity')) return 'Write null instead: NaN and Infinity are not JSON.';
  if (got === "'''") return 'Use double quotes: single quotes are not JSON.';
  if (expected === 'a closing double quote')
    return 'Close the string, and write line breaks inside it as \\n: one JSON object a line.';
  if (got === 'the end of the text')
    return 'Complete or delete the line: it is cut off. One JSON object must stand on one line.';
  return 'Correct or delete the line. Each line must hold one JSON object.';
}

function lineTooLong(file: string, line: number): RecordOutcome {
  const mebi = maxRecordCharacters / 1024 / 1024;
  const what = `expected a line of at most ${mebi} Mi characters, got a longer one`;
  return brokenRow(file, line, 'line-too-long', what, 'Write one JSON object a line.');
}
