/** @file A file's bytes -> chunks of text: streaming, strict UTF-8, cancellable, hashed on the way. */
import { isUtf8 } from 'node:buffer';
import type { Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { TuneError } from '../../../shared/errors.ts';
import { detectEncoding, type Encoding } from './detectEncoding.ts';

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined;
}

/** What can be seen without reading the whole file. */
export interface TextHead {
  readonly fileBytes: number;
  readonly hasBom: boolean;
  /** The beginning of the text, at most 64 KiB; its last character may be missing. */
  readonly text: string;
}

const chunkBytes = 1 << 20;
const headBytes = 1 << 16;

/** @throws TuneError `dataset-unreadable` when the file is missing, not a file, or seen not to be UTF-8. */
export async function peekUtf8(file: string): Promise<TextHead> {
  const handle = await openForReading(file);
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw unreadable(file, 'expected a file, got a folder', 'Choose a .jsonl, .json or .csv file.');
    const { buffer, bytesRead } = await handle.read(new Uint8Array(headBytes), 0, headBytes, 0);
    const head = buffer.subarray(0, bytesRead);
    const encoding = detectEncoding(head);
    if (encoding.kind !== 'utf8') throw wrongEncoding(file, encoding);
    const text = new TextDecoder('utf-8').decode(head, { stream: true });
    return { fileBytes: stat.size, hasBom: encoding.bomBytes > 0, text };
  } finally {
    await handle.close();
  }
}

/**
 * Chunks of the file's text without its byte order mark. `digest`, when given, is fed every byte of the file.
 * @throws TuneError `dataset-unreadable` with the line of the first byte that is not UTF-8; AbortError when cancelled.
 */
export async function* readUtf8(
  file: string,
  { signal, onProgress }: ReadOptions = {},
  digest?: Hash,
): AsyncGenerator<string, void, undefined> {
  const handle = await openForReading(file);
  try {
    const { size } = await handle.stat();
    const decoder = new TextDecoder('utf-8', { fatal: true });
    const buffer = Buffer.allocUnsafe(chunkBytes);
    let doneBytes = 0;
    let line = 1;
    let tail = Buffer.alloc(0);
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead } = await handle.read(buffer, 0, chunkBytes, doneBytes);
      const bytes = buffer.subarray(0, bytesRead);
      digest?.update(bytes);
      const text = decodeStrictly(decoder, bytes, bytesRead === 0);
      if (text === undefined) throw invalidBytes(file, tail, bytes, line);
      doneBytes += bytesRead;
      if (bytesRead === 0) {
        if (text.length > 0) yield text;
        return;
      }
      onProgress?.(doneBytes, Math.max(size, doneBytes));
      line += countNewlines(text);
      tail = Buffer.from(bytes.subarray(Math.max(0, bytes.length - 3)));
      yield text;
    }
  } finally {
    await handle.close();
  }
}

function decodeStrictly(
  decoder: InstanceType<typeof TextDecoder>,
  bytes: Uint8Array,
  isLast: boolean,
): string | undefined {
  try {
    return decoder.decode(bytes, { stream: !isLast });
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

async function openForReading(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'r');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const got = code === 'ENOENT' ? 'no such file' : code === 'EACCES' ? 'no permission to read it' : String(code);
    throw unreadable(file, `expected a readable file, got ${got}`, 'Check the path and its permissions.', error);
  }
}

function unreadable(file: string, what: string, hint: string, cause?: unknown): TuneError {
  return new TuneError('dataset-unreadable', `${file}: ${what}`, { file, hint, cause });
}

function wrongEncoding(file: string, encoding: Exclude<Encoding, { kind: 'utf8' }>): TuneError {
  const what = `expected UTF-8 text, got ${encoding.name}`;
  if (encoding.kind === 'binary')
    return unreadable(file, what, 'Unpack or export it as .jsonl, .json or .csv in UTF-8.');
  return unreadable(file, what, conversionHint(file, encoding.iconvName ?? encoding.name));
}

function conversionHint(file: string, from: string): string {
  const name = basename(file);
  return (
    `Convert it: iconv -f ${from} -t UTF-8 "${name}" > "utf8-${name}", ` +
    'or in VS Code "Change File Encoding > Reopen with Encoding", then "Save with Encoding > UTF-8".'
  );
}

/** The error for the first invalid byte of `chunk`, which starts on `startLine`; `tail` is what came before it. */
function invalidBytes(file: string, tail: Buffer, chunk: Buffer, startLine: number): TuneError {
  const bytes = Buffer.concat([tail, chunk]);
  const skipped = tail.findIndex(b => (b & 0xc0) !== 0x80);
  const from = tail.length === 0 ? 0 : skipped < 0 ? tail.length : skipped;
  let low = from;
  let high = bytes.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (isUtf8Prefix(bytes.subarray(from, middle))) low = middle;
    else high = middle - 1;
  }
  const line = startLine + countNewlines(bytes.subarray(tail.length, Math.max(low, tail.length)).toString('latin1'));
  const isCut = low === bytes.length;
  const byte = bytes[startOfCharacter(bytes, low)]!;
  const controls = bytes.subarray(0, 4096).filter(b => b < 9 || (b > 13 && b < 32)).length;
  const isBinary = controls > 0.02 * Math.min(bytes.length, 4096);
  const got = isCut
    ? 'an end in the middle of a character'
    : `the byte 0x${byte.toString(16).padStart(2, '0').toUpperCase()}${isBinary ? ' of a binary file' : ' (Latin-1 or Windows-1252?)'}`;
  const hint = isCut
    ? 'The file seems cut off: copy or download it again.'
    : isBinary
      ? 'Export it as .jsonl, .json or .csv in UTF-8.'
      : conversionHint(file, 'WINDOWS-1252');
  return new TuneError('dataset-unreadable', `${file}:${line}: expected UTF-8 text, got ${got}`, { file, line, hint });
}

/** Where the character starts whose continuation `bytes[at]` is not. */
function startOfCharacter(bytes: Buffer, at: number): number {
  for (let start = at - 1; start >= Math.max(0, at - 3); start--) {
    if ((bytes[start]! & 0xc0) === 0x80) continue;
    return bytes[start]! >= 0xc2 && isUnfinished(bytes.subarray(start, at)) ? start : at;
  }
  return at;
}

/** True when the bytes are valid UTF-8, allowing an unfinished character at the end. */
function isUtf8Prefix(bytes: Buffer): boolean {
  for (let cut = 0; cut <= Math.min(3, bytes.length); cut++) {
    const end = bytes.length - cut;
    if (isUnfinished(bytes.subarray(end)) && isUtf8(bytes.subarray(0, end))) return true;
  }
  return false;
}

/** True for the beginning of a longer character, or nothing. */
function isUnfinished(bytes: Buffer): boolean {
  const first = bytes[0];
  if (first === undefined) return true;
  const length =
    first >= 0xf0 && first <= 0xf4 ? 4 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xc2 && first < 0xe0 ? 2 : 1;
  return bytes.length < length && bytes.subarray(1).every(b => (b & 0xc0) === 0x80);
}

export function countNewlines(text: string): number {
  let count = 0;
  for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) count++;
  return count;
}
