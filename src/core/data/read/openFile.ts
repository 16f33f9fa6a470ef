/** @file One file -> its records, by the format and encoding that its first bytes show. */
import { createHash } from 'node:crypto';
import type { TextEncoding } from '../../../shared/datasetFormats.ts';
import { type DatasetFormat, datasetExtension } from '../../../shared/datasetFormats.ts';
import { peekText, readText, type TextHead } from './decodeText.ts';
import { type DetectedFormat, detectFormat } from './detectFormat.ts';
import { type ReadOptions, readHead } from './readBytes.ts';
import { readCsv } from './readCsv.ts';
import { readJsonDocument } from './readJsonDocument.ts';
import { readJsonLines } from './readJsonLines.ts';
import { readParquet } from './readParquet.ts';
import { readPlainText } from './readPlainText.ts';
import type { RecordOutcome } from './record.ts';
import { encodingNames } from './textEncoding.ts';

export interface OpenedFile {
  readonly file: string;
  readonly fileBytes: number;
  readonly format: DatasetFormat;
  readonly delimiter?: string | undefined;
  /** For people. */
  readonly encodingName: string;
  readonly records: AsyncGenerator<RecordOutcome, void, undefined>;
  /** Of the file's bytes as they lie on the disk; known when the records have ended. */
  sha256(): string;
}

/** @throws TuneError `dataset-unreadable` | `dataset-empty`; reading throws what its format's reader does */
export async function openFile(
  file: string,
  { encoding, ...options }: ReadOptions & { readonly encoding?: TextEncoding | undefined },
): Promise<OpenedFile> {
  const hash = createHash('sha256');
  let digest: string | undefined;
  const sha256 = () => (digest ??= hash.digest('hex'));
  const start = await readHead(file, 4);
  if (start.bytes.toString('latin1') === 'PAR1' || (datasetExtension(file) === 'parquet' && start.bytes.length > 0)) {
    const records = readParquet(file, start.isGzip, options, hash);
    return {
      file,
      fileBytes: start.fileBytes,
      format: 'parquet',
      encodingName: nameEncoding('binary', start),
      records,
      sha256,
    };
  }
  const head = await peekText(file, encoding);
  const detected = detectFormat(file, head.text);
  return {
    file,
    fileBytes: head.fileBytes,
    ...detected,
    encodingName: nameEncoding(`${encodingNames[head.encoding]}${head.hasBom ? ' with BOM' : ''}`, head),
    records: readRecords(file, detected, readText(file, head, options, hash)),
    sha256,
  };
}

function nameEncoding(name: string, { isGzip }: Pick<TextHead, 'isGzip'>): string {
  return isGzip ? `${name}, gzip` : name;
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
    case 'tsv':
      return readCsv(file, chunks, delimiter ?? ',');
    case 'text':
    case 'markdown':
      return readPlainText(file, chunks, format === 'markdown');
    case 'parquet':
      throw new Error('internal: Parquet is not read as text');
  }
}
