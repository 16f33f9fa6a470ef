/** @file A file's bytes -> chunks of text: streaming and strict, in the encoding that was detected or given. */
import { isUtf8 } from 'node:buffer';
import type { Hash } from 'node:crypto';
import type { TextEncoding } from '../../../shared/datasetFormats.ts';
import { TuneError } from '../../../shared/errors.ts';
import { detectEncoding } from './detectEncoding.ts';
import { type ReadOptions, readBytes, readHead, unpackGzip, unreadable } from './readBytes.ts';
import { encodingNames, guessEncoding } from './textEncoding.ts';

/** What can be seen without reading the whole file. */
export interface TextHead {
  readonly fileBytes: number;
  readonly isGzip: boolean;
  readonly encoding: TextEncoding;
  readonly hasBom: boolean;
  /** The beginning of the text, at most 64 KiB of it; its last character may be missing. */
  readonly text: string;
}

const headBytes = 1 << 16;

/**
 * @param given the encoding that the user says; a byte order mark still wins
 * @throws TuneError `dataset-unreadable` when the file is missing, not a file, or no text.
 */
export async function peekText(file: string, given?: TextEncoding | undefined): Promise<TextHead> {
  const { bytes, isWhole, ...head } = await readHead(file, headBytes);
  const seen = detectEncoding(bytes);
  if (seen.kind === 'binary' && (given === undefined || given === 'utf-8')) {
    throw unreadable(
      file,
      `expected text, got ${seen.name}`,
      'Unpack or export it as .jsonl, .json, .csv or .parquet in UTF-8.',
    );
  }
  const hasBom = seen.kind === 'text' && seen.bomBytes > 0;
  const detected = seen.kind === 'text' && seen.encoding !== 'unmarked' ? seen.encoding : undefined;
  const encoding = (hasBom ? detected : (given ?? detected)) ?? guessEncoding(bytes, isWhole);
  const text = new TextDecoder(encoding).decode(bytes, { stream: true });
  return { ...head, encoding, hasBom, text: text.replace(/^\ufeff/, '') };
}

/** UTF-8 alone, which is what this program writes itself. @throws as readText */
export function readUtf8(
  file: string,
  options: ReadOptions = {},
  digest?: Hash,
): AsyncGenerator<string, void, undefined> {
  return decodeUtf8(file, readBytes(file, options, digest));
}

/**
 * Chunks of the file's text without its byte order mark. `digest`, when given, is fed every byte of the file.
 * @throws TuneError `dataset-unreadable` with the line of the first byte that is no text; AbortError when cancelled.
 */
export function readText(
  file: string,
  { isGzip, encoding }: Pick<TextHead, 'isGzip' | 'encoding'>,
  options: ReadOptions = {},
  digest?: Hash,
): AsyncGenerator<string, void, undefined> {
  const raw = readBytes(file, options, digest);
  const bytes = isGzip ? unpackGzip(file, raw) : raw;
  return encoding === 'utf-8' ? decodeUtf8(file, bytes) : decodeOther(file, bytes, encoding);
}

async function* decodeUtf8(file: string, chunks: AsyncGenerator<Buffer>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 1;
  let tail = Buffer.alloc(0);
  for await (const bytes of chunks) {
    const text = decodeStrictly(decoder, bytes, false);
    if (text === undefined) throw invalidBytes(file, tail, bytes, line);
    line += countNewlines(text);
    tail = Buffer.from(bytes.subarray(Math.max(0, bytes.length - 3)));
    yield text;
  }
  const rest = decodeStrictly(decoder, Buffer.alloc(0), true);
  if (rest === undefined) throw invalidBytes(file, tail, Buffer.alloc(0), line);
  if (rest.length > 0) yield rest;
}

async function* decodeOther(
  file: string,
  chunks: AsyncGenerator<Buffer>,
  encoding: TextEncoding,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder(encoding, { fatal: encoding !== 'windows-1252' });
  let line = 1;
  let isFirst = true;
  const check = (text: string | undefined): string => {
    if (text === undefined) {
      throw new TuneError(
        'dataset-unreadable',
        `${file}:${line}: expected ${encodingNames[encoding]} text from here on, got other bytes`,
        {
          file,
          line,
          hint: 'Name the right encoding (--encoding), or save the file as UTF-8.',
        },
      );
    }
    line += countNewlines(text);
    if (isFirst && text.startsWith('\ufeff')) text = text.slice(1);
    if (text.length > 0) isFirst = false;
    return text;
  };
  for await (const bytes of chunks) {
    const text = encoding === 'windows-1252' ? decodeWindows1252(bytes) : decodeStrictly(decoder, bytes, false);
    yield check(text);
  }
  if (encoding === 'windows-1252') return;
  const rest = check(decodeStrictly(decoder, Buffer.alloc(0), true));
  if (rest.length > 0) yield rest;
}

/** The characters of 0x80 to 0x9F, as the Encoding Standard has them. */
const windows1252 =
  '\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f' +
  '\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178';

/** By hand: Node's decoder of that name has given the C1 controls of Latin-1 in some versions. */
function decodeWindows1252(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/[\x80-\x9f]/g, c => windows1252[c.charCodeAt(0) - 0x80]!);
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
      ? 'Export it as .jsonl, .json, .csv or .parquet in UTF-8.'
      : 'Mend that line, or name the encoding of the file (--encoding latin1, gbk ...), or save it as UTF-8.';
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
