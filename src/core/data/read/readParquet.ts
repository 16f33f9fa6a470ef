/**
 * @file A Parquet file -> one record a row, one row group in memory at a time. Rows have no lines; their number stands in for
 * it. Values that JSON does not have become what the other formats write: times ISO text, whole numbers of 64 bits numbers
 * or, beyond 2^53, text.
 */
import { createHash, type Hash } from 'node:crypto';
import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetRead,
  parquetSchema,
  type RowGroup,
  type SchemaTree,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { TuneError } from '../../../shared/errors.ts';
import { openForReading, type ReadOptions, readBytes, unpackGzip } from './readBytes.ts';
import { maxDocumentBytes, type RecordOutcome } from './record.ts';
import { vetParquetPages } from './vetParquetPages.ts';

/** Bytes of one row group as its writer counted them, before it was compressed. */
const maxGroupBytes = 1024 ** 3;
const maxFooterBytes = 64 * 1024 * 1024;
const maxPageBytes = 256 * 1024 * 1024;

/** @throws TuneError `dataset-invalid` when the file is no sound Parquet; AbortError when cancelled */
export async function* readParquet(
  file: string,
  isGzip: boolean,
  options: ReadOptions = {},
  digest: Hash = createHash('sha256'),
): AsyncGenerator<RecordOutcome, void, undefined> {
  const opened = isGzip ? await openPacked(file, options, digest) : await openPlain(file);
  try {
    const metadata = await guard(file, () => readMetadata(opened.buffer));
    let row = 0;
    for (const group of metadata.row_groups) {
      const end = row + Number(group.num_rows);
      options.signal?.throwIfAborted();
      await guard(file, () => vetGroup(opened.buffer, group));
      const rows = await guard(file, () => readRows(opened.buffer, metadata, row, end));
      for (const value of rows) yield { kind: 'record', line: ++row, value };
      options.onProgress?.(
        Math.floor((row / Math.max(1, Number(metadata.num_rows))) * opened.buffer.byteLength),
        opened.buffer.byteLength,
      );
    }
    if (!isGzip) for await (const _ of readBytes(file, { signal: options.signal }, digest));
  } finally {
    await opened.close();
  }
}

interface OpenedBuffer {
  readonly buffer: AsyncBuffer;
  close(): Promise<void>;
}

async function openPlain(file: string): Promise<OpenedBuffer> {
  const handle = await openForReading(file);
  const { size } = await handle.stat();
  const slice = async (start: number, end = size): Promise<ArrayBuffer> => {
    if (start < 0 || end > size || end < start) throw new Error(`bytes ${start} to ${end} of a file of ${size}`);
    const bytes = new Uint8Array(end - start);
    let done = 0;
    while (done < bytes.length) {
      const { bytesRead } = await handle.read(bytes, done, bytes.length - done, start + done);
      if (bytesRead === 0) throw new Error('the file became shorter while it was read');
      done += bytesRead;
    }
    return bytes.buffer;
  };
  return { buffer: { byteLength: size, slice }, close: () => handle.close() };
}

/** A packed file is unpacked into memory: its footer, which says where everything is, comes last. */
async function openPacked(file: string, options: ReadOptions, digest: Hash): Promise<OpenedBuffer> {
  const pieces: Buffer[] = [];
  let held = 0;
  for await (const bytes of unpackGzip(file, readBytes(file, options, digest))) {
    held += bytes.length;
    if (held > maxDocumentBytes) {
      throw new TuneError(
        'dataset-unreadable',
        `${file}: expected at most ${maxDocumentBytes / 1024 ** 2} MiB when unpacked, got more`,
        {
          file,
          hint: 'Unpack it: Parquet is compressed inside.',
        },
      );
    }
    pieces.push(bytes);
  }
  const all = new Uint8Array(Buffer.concat(pieces));
  return {
    buffer: { byteLength: all.length, slice: (start, end) => all.buffer.slice(start, end) },
    close: () => Promise.resolve(),
  };
}

/** The footer, once its figures agree with each other and with the file. */
async function readMetadata(buffer: AsyncBuffer): Promise<FileMetaData> {
  const size = buffer.byteLength;
  if (size < 12) throw new Error(`a file of ${size} bytes`);
  const ends = Buffer.concat([Buffer.from(await buffer.slice(0, 4)), Buffer.from(await buffer.slice(size - 8, size))]);
  if (ends.toString('latin1', 0, 4) !== 'PAR1' || ends.toString('latin1', 8) !== 'PAR1') {
    throw new Error('no Parquet marks at both ends: it is cut off or encrypted');
  }
  const footerBytes = ends.readUInt32LE(4);
  if (footerBytes > Math.min(size - 12, maxFooterBytes))
    throw new Error(`a footer of ${footerBytes} bytes in a file of ${size}`);
  const metadata = await parquetMetadataAsync(buffer);
  const rows = metadata.row_groups.map(group => Number(group.num_rows));
  if (rows.some(count => !(count >= 0 && count <= 2 ** 31))) throw new Error('row groups with impossible counts');
  const total = rows.reduce((sum, count) => sum + count, 0);
  if (total !== Number(metadata.num_rows))
    throw new Error(`${total} rows in its groups where the footer says ${metadata.num_rows}`);
  const leaves = listLeaves(parquetSchema(metadata)).join('\n');
  for (const [index, group] of metadata.row_groups.entries()) {
    // The library reads what the groups name but waits only for what the schema names.
    const paths = group.columns.map(({ meta_data }) => JSON.stringify(meta_data?.path_in_schema)).join('\n');
    if (paths !== leaves) throw new Error(`other columns in row group ${index} than in the schema`);
    let groupBytes = 0;
    for (const { meta_data, file_path } of group.columns) {
      if (meta_data === undefined || file_path !== undefined) throw new Error('columns in other files');
      const start = Number(meta_data.dictionary_page_offset || meta_data.data_page_offset);
      const length = Number(meta_data.total_compressed_size);
      if (!(start >= 4 && length >= 0 && start + length <= size - 8 - footerBytes))
        throw new Error(`a column of row group ${index} outside the file`);
      const values = Number(meta_data.num_values);
      if (!(values >= 0 && values <= 2 ** 31)) throw new Error(`a column of ${values} values`);
      groupBytes += Number(meta_data.total_uncompressed_size);
    }
    if (!(groupBytes >= 0 && groupBytes <= maxGroupBytes))
      throw new Error(`a row group of ${groupBytes} bytes: write smaller ones`);
  }
  return metadata;
}

/** Looks at the header of every page before the library does. */
async function vetGroup(buffer: AsyncBuffer, { columns }: RowGroup): Promise<void> {
  for (const { meta_data } of columns) {
    const start = Number(meta_data!.dictionary_page_offset || meta_data!.data_page_offset);
    const bytes = await buffer.slice(start, start + Number(meta_data!.total_compressed_size));
    vetParquetPages(new Uint8Array(bytes), Number(meta_data!.num_values));
  }
}

function listLeaves({ children, path }: SchemaTree): string[] {
  return children.length > 0 ? children.flatMap(listLeaves) : [JSON.stringify(path)];
}

async function readRows(
  file: AsyncBuffer,
  metadata: FileMetaData,
  rowStart: number,
  rowEnd: number,
): Promise<unknown[]> {
  if (rowStart === rowEnd) return [];
  const rows = Array.from({ length: rowEnd - rowStart }, (): [string, unknown][] => []);
  const range = { file, metadata, rowStart, rowEnd, compressors: cappedCompressors };
  // One column after the other: the library leaves the failures of others unhandled when one fails.
  for (const { element } of parquetSchema(metadata).children) {
    const values = await readColumn({ ...range, columns: [element.name] });
    if (values.length !== rows.length) throw new Error(`${values.length} values in ${rows.length} rows`);
    for (const [i, value] of values.entries()) rows[i]!.push([element.name, toPlain(value)]);
  }
  return rows.map(entries => Object.fromEntries(entries));
}

/** @throws what the library throws; its other promises are settled then */
async function readColumn(
  options: Omit<Parameters<typeof parquetRead>[0], 'onComplete' | 'rowFormat'>,
): Promise<unknown[]> {
  const values: unknown[] = [];
  await parquetRead({
    ...options,
    rowFormat: 'array',
    onComplete: rows => {
      for (const row of rows) values.push(row[0] ?? null);
    },
  });
  return values;
}

type Decompress = (input: Uint8Array, outputLength: number) => Uint8Array;

const cappedCompressors: Record<string, Decompress> = Object.fromEntries(
  Object.entries(compressors as Record<string, Decompress>).map(([codec, decompress]) => [
    codec,
    (input: Uint8Array, outputLength: number): Uint8Array => {
      if (!(outputLength >= 0 && outputLength <= maxPageBytes)) throw new Error(`a page of ${outputLength} bytes`);
      const output = decompress(input, outputLength);
      if (output.length !== outputLength) throw new Error(`a page of ${output.length} bytes that says ${outputLength}`);
      return output;
    },
  ]),
);

/** Values as the other formats have them; names come from the file and become plain fields whatever they are. */
function toPlain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (Array.isArray(value)) return value.map(toPlain);
  if (ArrayBuffer.isView(value))
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  return Object.fromEntries(Object.entries(value).map(([name, held]) => [name, toPlain(held)]));
}

/** Whatever the library throws on a broken file is the file's fault. */
async function guard<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof TuneError) throw error;
    const got = error instanceof Error ? error.message : String(error);
    throw new TuneError('dataset-invalid', `${file}: expected a sound Parquet file, got ${got}`, {
      file,
      line: 1,
      hint: 'Write it again (pyarrow, DuckDB, pandas), or export it as .jsonl.',
      cause: error,
    });
  }
}
