/** @file What reading a dataset found: problems by line and the report that `inspect` and the dataset page show. */
import type { DatasetFormat } from '../../shared/datasetFormats.ts';
import type { Role } from './example.ts';
import type { MappingDetection } from './mapping/mapping.ts';

/** Stable names of what can be wrong with a row. */
export type RowProblemCode =
  | 'json-invalid' // the line is not JSON
  | 'line-too-long'
  | 'csv-columns' // more or fewer values than the header has
  | 'row-type' // the row is not an object
  | 'field-missing'
  | 'field-type'
  | 'field-empty'
  | 'role-unknown'
  | 'assistant-missing' // no assistant text in the row
  | 'assistant-not-last'
  | 'pair-equal' // chosen and rejected are the same
  | 'prompt-missing' // a preference without a question
  | 'label-false' // an answer that its row says is a bad one
  | 'tools-as-text'; // calls of tools are learned as text

export interface RowProblem {
  /** A row with an error cannot be trained on; a warning is only told. */
  readonly severity: 'error' | 'warning';
  readonly file: string;
  /** 1-based line on which the row starts (broken JSON: on which it breaks). */
  readonly line: number;
  readonly code: RowProblemCode;
  readonly message: string;
  readonly fix: string;
}

/** The first problems of a file and how many there are in all. */
export interface ProblemSummary {
  readonly problems: readonly RowProblem[];
  readonly errorCount: number;
  readonly warningCount: number;
  readonly countsByCode: Readonly<Partial<Record<RowProblemCode, number>>>;
}

export interface RowCounts {
  /** Rows in the file, broken ones included; blank lines are not rows. */
  readonly rows: number;
  /** Rows that became examples. */
  readonly usableRows: number;
  readonly brokenRows: number;
}

/** Lengths in characters (UTF-16 units). */
export interface CharacterHistogram {
  /** Bin i counts lengths from edges[i] up to, not including, edges[i + 1]; there is one edge more than bins. */
  readonly edges: readonly number[];
  readonly counts: readonly number[];
  readonly min: number;
  readonly median: number;
  readonly mean: number;
  readonly p95: number;
  readonly max: number;
}

export interface PreviewRow {
  readonly line: number;
  /** Running text has one message of role `text`. */
  readonly messages: readonly { readonly role: Role | 'text'; readonly content: string }[];
}

/** How a dataset was read, apart from its rows. */
export interface DatasetSource {
  /** As it was named: a file, a folder or a pattern. */
  readonly file: string;
  /** What was read, in order. */
  readonly files: readonly string[];
  readonly fileBytes: number;
  /** Of the first file. */
  readonly format: DatasetFormat;
  /** For people: `UTF-8`, `GB18030, gzip`. */
  readonly encoding: string;
  /** Of a CSV file. */
  readonly delimiter?: string | undefined;
  /** Field names seen in the first rows, in their order. */
  readonly fields: readonly string[];
  readonly mapping: MappingDetection;
}

export interface DatasetReport extends DatasetSource, ProblemSummary, RowCounts {
  readonly sha256: string;
  /** Examples by number of messages: `{"2": 190, "4": 10}`; text rows count as 0. */
  readonly messagesPerExample: Readonly<Record<string, number>>;
  /** Rows whose normalised question equals an earlier row's. */
  readonly repeatedQuestions: number;
  /** Rows equal to an earlier row in every message. */
  readonly repeatedRows: number;
  /** Characters of whole examples, and of their assistant text alone. */
  readonly exampleCharacters: CharacterHistogram | undefined;
  readonly assistantCharacters: CharacterHistogram | undefined;
  readonly preview: readonly PreviewRow[];
}
