/** @file The kinds of files that datasets are read from, and the names by which they are found. */

export const datasetFormats = ['jsonl', 'json', 'csv', 'tsv', 'parquet', 'text', 'markdown'] as const;
export type DatasetFormat = (typeof datasetFormats)[number];

/** The encodings that text is read in, by their names in the Encoding Standard. */
export const textEncodings = ['utf-8', 'utf-16le', 'utf-16be', 'gb18030', 'windows-1252'] as const;
export type TextEncoding = (typeof textEncodings)[number];

/** Endings of files that hold rows; a folder's running text counts only where none of them is there. */
export const rowExtensions = ['jsonl', 'ndjson', 'json', 'csv', 'tsv', 'parquet'] as const;
export const textExtensions = ['txt', 'md', 'markdown'] as const;
export const datasetExtensions: readonly string[] = [...rowExtensions, ...textExtensions];

/** The ending that says what a file holds: that before `.gz`. In lower case, without the dot; '' for none. */
export function datasetExtension(path: string): string {
  return /\.([a-z0-9]+)$/i.exec(path.replace(/\.gz$/i, ''))?.[1]?.toLowerCase() ?? '';
}

export function hasDatasetName(path: string): boolean {
  return datasetExtensions.includes(datasetExtension(path));
}
