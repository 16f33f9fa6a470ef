/** @file A dataset (a file, a folder, a pattern) -> its examples with lines kept, how it was read, and every problem found. */
import { createHash } from 'node:crypto';
import { relative, sep } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { TextEncoding } from '../../shared/datasetFormats.ts';
import { TuneError } from '../../shared/errors.ts';
import type { Mapping } from '../../shared/recipe.ts';
import { ProblemCollector } from './collectProblems.ts';
import type { DatasetSource, ProblemSummary, RowCounts, RowProblem } from './datasetReport.ts';
import type { Example } from './example.ts';
import { detectMapping, listFields, sampledRows, shareRead, useMapping } from './mapping/detectMapping.ts';
import { completeMapping, type MappingDetection } from './mapping/mapping.ts';
import { mapRow } from './mapping/mapRow.ts';
import { findRegistered, readRegistered } from './read/datasetRegistry.ts';
import { listDatasetFiles, rootOf } from './read/listDatasetFiles.ts';
import { type OpenedFile, openFile } from './read/openFile.ts';
import type { ReadOptions } from './read/readBytes.ts';
import type { RecordOutcome } from './read/record.ts';

export interface DatasetOptions extends ReadOptions {
  /** Overrides the detection. */
  readonly mapping?: Mapping | null | undefined;
  /** Overrides the detection; a byte order mark still wins. */
  readonly encoding?: TextEncoding | undefined;
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
  /** Of the file's bytes; of several files, of their names and hashes. */
  sha256(): string;
}

/** What is known of a dataset when all of it was read. */
export interface ReadSummary extends DatasetSource, ProblemSummary, RowCounts {
  readonly sha256: string;
}

/** A dataset in memory. */
export interface Dataset extends ReadSummary {
  readonly examples: readonly Example[];
}

/**
 * Opens a dataset, decides format and mapping from its first rows, and streams the rest.
 * @throws TuneError `dataset-unreadable`, `dataset-empty`, or `dataset-invalid` when no mapping fits; AbortError when cancelled.
 */
export async function openDataset(path: string, options: DatasetOptions = {}): Promise<DatasetStream> {
  const registered = await readRegistered(path);
  const files = await listDatasetFiles(registered?.path ?? path);
  const given = options.mapping ? completeMapping(options.mapping) : undefined;
  const hashes: string[] = [];
  const first = await openMapped(files[0]!, { ...options, mapping: given }, registered);
  let fileBytes = first.opened.fileBytes;
  const rows = async function* (): AsyncGenerator<RowOutcome, void, undefined> {
    for (const [index, file] of files.entries()) {
      const mapped = index === 0 ? first : await openMapped(file, { ...options, mapping: given }, registered, first);
      if (index > 0) fileBytes += mapped.opened.fileBytes;
      yield* mapRecords(mapped, options.signal);
      hashes.push(mapped.opened.sha256());
    }
  };
  const root = rootOf(registered?.path ?? path, files);
  return {
    file: path,
    files,
    get fileBytes() {
      return fileBytes;
    },
    format: first.opened.format,
    delimiter: first.opened.delimiter,
    encoding: first.opened.encodingName,
    fields: listFields(first.sample),
    mapping: first.mapping,
    rows: rows(),
    sha256: () => (files.length === 1 ? hashes[0]! : hashFiles(root, files, hashes)),
  };
}

/** Reads a whole dataset. Broken rows are left out of `examples` and counted: the caller decides. @throws as openDataset */
export async function readDataset(path: string, options: DatasetOptions = {}): Promise<Dataset> {
  const examples: Example[] = [];
  const summary = await scanDataset(path, options, example => examples.push(example));
  return { ...summary, examples };
}

/**
 * Reads a dataset row by row and keeps none: however large it is, memory does not grow. `visit` gets each example that can
 * be read, in order. @throws as openDataset
 */
export async function scanDataset(
  path: string,
  options: DatasetOptions = {},
  visit: (example: Example) => void = () => undefined,
): Promise<ReadSummary> {
  const stream = await openDataset(path, options);
  const problems = new ProblemCollector(options.maxProblems ?? 100);
  let usableRows = 0;
  let rowCount = 0;
  for await (const row of stream.rows) {
    rowCount++;
    for (const problem of row.problems) problems.add(problem);
    if (row.example === undefined) continue;
    usableRows++;
    visit(row.example);
  }
  const { rows: _, sha256, ...source } = stream;
  return {
    ...source,
    fileBytes: stream.fileBytes,
    ...problems.summarize(),
    sha256: sha256(),
    rows: rowCount,
    usableRows,
    brokenRows: rowCount - usableRows,
  };
}

interface MappedFile {
  readonly opened: OpenedFile;
  readonly first: readonly RecordOutcome[];
  readonly sample: readonly Extract<RecordOutcome, { kind: 'record' }>[];
  readonly mapping: MappingDetection;
}

type Registered = Awaited<ReturnType<typeof readRegistered>>;

/** @param before the dataset's first file: later ones are read as it is */
async function openMapped(
  file: string,
  options: DatasetOptions,
  registered: Registered,
  before?: MappedFile,
): Promise<MappedFile> {
  const opened = await openFile(file, options);
  try {
    const first = await takeFirst(opened.records);
    const sample = first.flatMap(outcome => (outcome.kind === 'record' ? [outcome] : []));
    if (sample.length === 0 && before === undefined) throw nothingToRead(file, first);
    const mapping = before === undefined ? await chooseMapping(file, sample, options, registered) : before.mapping;
    if (before !== undefined && sample.length > 0) requireSameShape(file, sample, before);
    return { opened, first, sample, mapping };
  } catch (error) {
    await opened.records.return();
    throw error;
  }
}

async function chooseMapping(
  file: string,
  sample: MappedFile['sample'],
  { mapping }: DatasetOptions,
  registered: Registered,
): Promise<MappingDetection> {
  if (mapping) return useMapping(file, sample, mapping);
  const entry = registered ?? (await findRegistered(file));
  if (entry === undefined) return detectMapping(file, sample);
  const read = useMapping(file, sample, completeMapping(entry.mapping));
  if (read.confidence < 0.5) return detectMapping(file, sample);
  return { ...read, isChosen: false, reason: `dataset_info.json registers it as "${entry.name}"` };
}

/** Files of one dataset have one shape; another one would be read as broken rows from end to end. */
function requireSameShape(file: string, sample: MappedFile['sample'], before: MappedFile): void {
  const { mapping, isChosen } = before.mapping;
  if (isChosen || shareRead(file, sample, mapping) > 0) return;
  const other = detectMapping(file, sample);
  throw new TuneError(
    'dataset-invalid',
    `${file}: expected rows as in the first file (${mapping.kind}), got rows that look like ${other.mapping.kind}`,
    {
      file,
      line: sample[0]!.line,
      hint: 'Choose files of one shape, for example with a pattern (data/*.jsonl), or say how fields become conversations.',
    },
  );
}

function hashFiles(root: string, files: readonly string[], hashes: readonly string[]): string {
  const hash = createHash('sha256');
  for (const [i, file] of files.entries()) hash.update(`${relative(root, file).split(sep).join('/')}\0${hashes[i]}\n`);
  return hash.digest('hex');
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
  { opened: { file, records }, mapping: { mapping }, first }: MappedFile,
  signal: AbortSignal | undefined,
): AsyncGenerator<RowOutcome, void, undefined> {
  try {
    for (const record of first) yield toRow(file, mapping, record);
    let read = 0;
    for await (const record of records) {
      yield toRow(file, mapping, record);
      if (++read % rowsATurn === 0) {
        await setImmediate();
        signal?.throwIfAborted();
      }
    }
  } finally {
    await records.return();
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
