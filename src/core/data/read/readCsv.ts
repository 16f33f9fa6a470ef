/** @file Chunks of CSV text -> one record a row, keyed by the header, with the line on which the row starts. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CsvError, type Info, parse } from 'csv-parse';
import { TuneError } from '../../../shared/errors.ts';
import { brokenRow, maxRecordCharacters, type RecordOutcome } from './record.ts';

interface CsvRow {
  readonly record: readonly string[];
  readonly info: Info;
}

/**
 * One outcome for each row after the header; rows without any value are not rows.
 * @throws TuneError `dataset-invalid` for a quote that never closes or a header with equal names.
 */
export async function* readCsv(
  file: string,
  chunks: AsyncIterable<string>,
  delimiter: string,
): AsyncGenerator<RecordOutcome, void, undefined> {
  const lines = new LineStarts();
  const parser = parse({
    delimiter,
    info: true,
    record_delimiter: ['\r\n', '\n'],
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: maxRecordCharacters,
  });
  let sourceError: unknown;
  const feeding = pipeline(Readable.from(toBytes(chunks, lines), { objectMode: true }), parser).catch(
    (error: unknown) => {
      sourceError = error;
    },
  );
  let header: readonly string[] | undefined;
  let end = 0;
  try {
    for await (const { record, info } of parser as AsyncIterable<CsvRow>) {
      const line = lines.firstRowFrom(end);
      end = info.bytes;
      if (record.every(value => value.trim() === '')) continue;
      if (header === undefined) header = checkHeader(file, line, record);
      else yield toOutcome(file, line, header, record);
    }
  } catch (error) {
    throw error instanceof CsvError ? toTuneError(file, lines.firstRowFrom(end), error) : error;
  } finally {
    parser.destroy();
    await feeding;
  }
  if (sourceError !== undefined) throw sourceError;
}

/** The bytes csv-parse sees, and where their lines start. */
class LineStarts {
  private starts: { offset: number; line: number }[] = [];
  private line = 1;
  private lineStart = 0;
  private isBlank = true;
  private offset = 0;
  private next = 0;

  add(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i]!;
      if (byte === 0x0a) {
        this.line++;
        this.lineStart = this.offset + i + 1;
        this.isBlank = true;
      } else if (byte !== 0x0d && this.isBlank) {
        this.isBlank = false;
        this.starts.push({ offset: this.lineStart, line: this.line });
      }
    }
    this.offset += bytes.length;
  }

  /** The first line at or after byte `from` that is not empty. Calls must not go back. */
  firstRowFrom(from: number): number {
    while (this.next < this.starts.length && this.starts[this.next]!.offset < from) this.next++;
    const found = this.starts[this.next]?.line ?? this.line;
    if (this.next > 4096) {
      this.starts = this.starts.slice(this.next);
      this.next = 0;
    }
    return found;
  }
}

async function* toBytes(chunks: AsyncIterable<string>, lines: LineStarts): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk, 'utf8');
    lines.add(bytes);
    yield bytes;
  }
}

function checkHeader(file: string, line: number, record: readonly string[]): readonly string[] {
  const names = record.map(name => name.trim());
  const seen = new Set<string>();
  for (const name of names) {
    if (name !== '' && seen.has(name)) {
      throw new TuneError(
        'dataset-invalid',
        `${file}:${line}: expected column names that differ, got "${name}" twice`,
        {
          file,
          line,
          hint: 'Rename one of the columns in the first row.',
        },
      );
    }
    seen.add(name);
  }
  return names;
}

function toOutcome(file: string, line: number, header: readonly string[], record: readonly string[]): RecordOutcome {
  if (record.length !== header.length) {
    const what = `expected ${header.length} values as in the header, got ${record.length}`;
    const fix = 'Put values that contain the separator, quotes or line breaks in double quotes.';
    return brokenRow(file, line, 'csv-columns', what, fix);
  }
  const entries = header.flatMap((name, i) => (name === '' ? [] : [[name, record[i]] as const]));
  return { kind: 'record', line, value: Object.fromEntries(entries) };
}

function toTuneError(file: string, line: number, error: CsvError): TuneError {
  const got =
    error.code === 'CSV_QUOTE_NOT_CLOSED'
      ? 'a double quote that is never closed'
      : error.code === 'CSV_MAX_RECORD_SIZE'
        ? 'a row longer than 64 Mi characters (an unclosed double quote?)'
        : error.code;
  return new TuneError('dataset-invalid', `${file}:${line}: expected CSV rows (RFC 4180), got ${got}`, {
    file,
    line,
    hint: 'Close the quote; a quote inside a quoted value is written twice ("").',
    cause: error,
  });
}
