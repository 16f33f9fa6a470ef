/** @file The beginning of a file and its name -> its format, decided by what is seen; the name only breaks ties. */
import { type DatasetFormat, datasetExtension } from '../../../shared/datasetFormats.ts';
import { TuneError } from '../../../shared/errors.ts';

export interface DetectedFormat {
  readonly format: DatasetFormat;
  readonly delimiter?: string;
}

/** @throws TuneError `dataset-empty` for nothing but white space, `dataset-unreadable` when no format fits. */
export function detectFormat(file: string, head: string): DetectedFormat {
  const extension = `.${datasetExtension(file)}`;
  const first = head.trimStart()[0];
  if (first === undefined) {
    throw new TuneError('dataset-empty', `${file}: expected at least one row, got an empty file`, {
      file,
      line: 1,
      hint: 'Add rows, for example {"question": "...", "answer": "..."} one a line.',
    });
  }
  if (extension === '.csv') return { format: 'csv', delimiter: detectDelimiter(head, extension) };
  if (extension === '.tsv') return { format: 'tsv', delimiter: detectDelimiter(head, extension) };
  const prose = proseFormats[extension];
  if (prose !== undefined && !startsWithRow(head, first)) return { format: prose };
  if (first === '{' || first === '[') return { format: isJsonLines(head, extension, first) ? 'jsonl' : 'json' };
  if (['.jsonl', '.ndjson'].includes(extension)) return { format: 'jsonl' };
  if (extension === '.json') return { format: 'json' };
  const delimiter = detectDelimiter(head, extension);
  if (firstLine(head).includes(delimiter)) return { format: delimiter === '\t' ? 'tsv' : 'csv', delimiter };
  throw new TuneError('dataset-unreadable', `${file}: expected JSONL, JSON or CSV, got text that is none of them`, {
    file,
    line: 1,
    hint: 'Save rows as .jsonl (one JSON object a line), .json or .csv with a header, running text as .txt or .md.',
  });
}

const proseFormats: Readonly<Record<string, DatasetFormat | undefined>> = {
  '.txt': 'text',
  '.md': 'markdown',
  '.markdown': 'markdown',
};

/** Whether a text file holds rows after all: its first line, or all of it, is JSON with names. */
function startsWithRow(head: string, first: string): boolean {
  const start = firstLine(head);
  return (first === '{' || first === '[') && start.includes('{') && (isJson(start) || isJson(head.trim()));
}

/** JSONL when the first line is complete by itself and another follows; a lone line goes by the name. */
function isJsonLines(head: string, extension: string, first: '{' | '['): boolean {
  const isNamedLines = extension === '.jsonl' || extension === '.ndjson';
  const lines = head.trimStart().split('\n');
  const complete = isJson(lines[0]!);
  const second = lines.slice(1).find(line => line.trim() !== '');
  if (first === '[') return complete && second?.trimStart().startsWith('[') === true;
  if (complete) return second !== undefined || isNamedLines;
  // Not complete: a broken JSONL line, an element cut by the head's end, or the first line of an indented document.
  const isIndented = lines[0]!.trim() === '{' || /^\{\s*"(?:[^"\\]|\\.)*"\s*:\s*[[{]\s*$/.test(lines[0]!.trim());
  if (isIndented) return false;
  return isNamedLines || second?.trimStart().startsWith('{') === true;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

function firstLine(head: string): string {
  return head.trimStart().split('\n', 1)[0]!;
}

/** The separator that splits the header most often; separators inside quotes do not count. */
function detectDelimiter(head: string, extension: string): string {
  const header = firstLine(head).replace(/"(?:[^"]|"")*"/g, '');
  const candidates = extension === '.tsv' ? ['\t', ',', ';', '|'] : [',', ';', '\t', '|'];
  const counts = candidates.map(delimiter => header.split(delimiter).length);
  return candidates[counts.indexOf(Math.max(...counts))]!;
}
