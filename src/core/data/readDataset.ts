/** @file A dataset file -> its examples with lines kept, how it was read, and every problem found. */
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { TuneError } from '../../shared/errors.ts';
import type { Mapping } from '../../shared/recipe.ts';
import { ProblemCollector } from './collectProblems.ts';
import type { DatasetSource, ProblemSummary, RowCounts, RowProblem } from './datasetReport.ts';
import type { Example } from './example.ts';
import { detectMapping, listFields, sampledRows, useMapping } from './mapping/detectMapping.ts';
import { completeMapping } from './mapping/mapping.ts';
import { mapRow } from './mapping/mapRow.ts';
import { type DetectedFormat, detectFormat } from './read/detectFormat.ts';
import { readCsv } from './read/readCsv.ts';
import { readJsonDocument } from './read/readJsonDocument.ts';
import { readJsonLines } from './read/readJsonLines.ts';
import { peekUtf8, type ReadOptions, readUtf8 } from './read/readUtf8.ts';
import type { RecordOutcome } from './read/record.ts';

export interface DatasetOptions extends ReadOptions {
  /** Overrides the detection. */
  readonly mapping?: Mapping | null | undefined;
  /** Problems kept in full; all are counted. Default 100. */
  readonly maxProblems?: number | undefined;
}

export type RowOutcome = {
  readonly line: number;
  readonly example: Example | undefined;
  readonly problems: readonly RowProblem[];
};

/** An open dataset: `rows` can be read once, one row in memory at a time; `sha256` is known when it has ended. */
export interface DatasetStream extends DatasetSource {
  readonly rows: AsyncGenerator<RowOutcome, void, undefined>;
  sha256(): string;
}

/** A dataset in memory. */
export interface Dataset extends DatasetSource, ProblemSummary, RowCounts {
  readonly sha256: string;
  readonly examples: readonly Example[];
}

/**
 * Opens a file, decides format and mapping from its first rows, and streams the rest.
 * @throws TuneError `dataset-unreadable`, `dataset-empty`, or `dataset-invalid` when no mapping fits; AbortError when cancelled.
 */
export async function openDataset(file: string, options: DatasetOptions = {}): Promise<DatasetStream> {
  const given = options.mapping ? completeMapping(options.mapping) : undefined;
  const head = await peekUtf8(file);
  const detected = detectFormat(file, head.text);
  const hash = createHash('sha256');
  const records = readRecords(file, detected, readUtf8(file, options, hash));
  try {
    const first = await takeFirst(records);
    const sample = first.flatMap(outcome => (outcome.kind === 'record' ? [outcome] : []));
    if (sample.length === 0) throw nothingToRead(file, first);
    const mapping = given === undefined ? detectMapping(file, sample) : useMapping(file, sample, given);
    let digest: string | undefined;
    return {
      file,
      fileBytes: head.fileBytes,
      format: detected.format,
      delimiter: detected.delimiter,
      encoding: head.hasBom ? 'UTF-8 with BOM' : 'UTF-8',
      fields: listFields(sample),
      mapping,
      rows: mapRecords(file, mapping.mapping, first, records, options.signal),
      sha256: () => (digest ??= hash.digest('hex')),
    };
  } catch (error) {
    await records.return();
    throw error;
  }
}

/** Reads a whole dataset. Broken rows are left out of `examples` and counted: the caller decides. @throws as openDataset */
export async function readDataset(file: string, options: DatasetOptions = {}): Promise<Dataset> {
  const { rows, sha256, ...source } = await openDataset(file, options);
  const problems = new ProblemCollector(options.maxProblems ?? 100);
  const examples: Example[] = [];
  let rowCount = 0;
  for await (const row of rows) {
    rowCount++;
    for (const problem of row.problems) problems.add(problem);
    if (row.example !== undefined) examples.push(row.example);
  }
  return {
    ...source,
    ...problems.summarize(),
    sha256: sha256(),
    examples,
    rows: rowCount,
    usableRows: examples.length,
    brokenRows: rowCount - examples.length,
  };
}

function readRecords(
  file: string,
  { format, delimiter }: DetectedFormat,
  chunks: AsyncGenerator<string, void, undefined>,
): AsyncGenerator<RecordOutcome, void, undefined> {
  switch (format) {
    case 'jsonl':
      return readJsonLines(file, chunks);
    case 'json':
      return readJsonDocument(file, chunks);
    case 'csv':
      return readCsv(file, chunks, delimiter ?? ',');
  }
}

/** The outcomes up to the last row that is sampled; the generator goes on after them. */
async function takeFirst(records: AsyncGenerator<RecordOutcome, void, undefined>): Promise<RecordOutcome[]> {
  const first: RecordOutcome[] = [];
  let sampled = 0;
  while (sampled < sampledRows && first.length < 10 * sampledRows) {
    const { done, value } = await records.next();
    if (done) break;
    first.push(value);
    if (value.kind === 'record') sampled++;
  }
  return first;
}

/** Rows between two looks at the signal, so that a long document can be cancelled and leaves others a turn. */
const rowsATurn = 2000;

async function* mapRecords(
  file: string,
  mapping: Mapping,
  first: readonly RecordOutcome[],
  rest: AsyncGenerator<RecordOutcome, void, undefined>,
  signal: AbortSignal | undefined,
): AsyncGenerator<RowOutcome, void, undefined> {
  try {
    for (const record of first) yield toRow(file, mapping, record);
    let read = 0;
    for await (const record of rest) {
      yield toRow(file, mapping, record);
      if (++read % rowsATurn === 0) {
        await setImmediate();
        signal?.throwIfAborted();
      }
    }
  } finally {
    await rest.return();
  }
}

function toRow(file: string, mapping: Mapping, record: RecordOutcome): RowOutcome {
  if (record.kind === 'problem') return { line: record.problem.line, example: undefined, problems: [record.problem] };
  return { line: record.line, ...mapRow(file, record.line, record.value, mapping) };
}

function nothingToRead(file: string, outcomes: readonly RecordOutcome[]): TuneError {
  const broken = outcomes.find(outcome => outcome.kind === 'problem');
  if (broken === undefined) {
    return new TuneError('dataset-empty', `${file}: expected at least one row, got none`, {
      file,
      line: 1,
      hint: 'Add rows, for example {"question": "...", "answer": "..."} one a line.',
    });
  }
  const { message, line, fix } = broken.problem;
  return new TuneError('dataset-invalid', `${message} (no readable row among the first ${outcomes.length})`, {
    file,
    line,
    hint: fix,
  });
}
