/**
 * @file The encodings that text is read in: their names, and how they are told apart by a file's first bytes. UTF-8 is the
 * rule (RFC 8259); what is not is taken for UTF-16 by its mark or zeros, for GB18030 (which holds GBK) when nearly all of its
 * characters are pairs of high bytes, else for Windows-1252, which is what files called Latin-1 hold (WHATWG Encoding).
 */
import { isUtf8 } from 'node:buffer';
import { type TextEncoding, textEncodings } from '../../../shared/datasetFormats.ts';
import { TuneError } from '../../../shared/errors.ts';

export const encodingNames: Readonly<Record<TextEncoding, string>> = {
  'utf-8': 'UTF-8',
  'utf-16le': 'UTF-16 LE',
  'utf-16be': 'UTF-16 BE',
  gb18030: 'GB18030',
  'windows-1252': 'Windows-1252',
};

const aliases: Readonly<Record<string, TextEncoding>> = {
  utf8: 'utf-8',
  utf16: 'utf-16le',
  utf16le: 'utf-16le',
  utf16be: 'utf-16be',
  gb18030: 'gb18030',
  gbk: 'gb18030',
  gb2312: 'gb18030',
  cp936: 'gb18030',
  latin1: 'windows-1252',
  iso88591: 'windows-1252',
  windows1252: 'windows-1252',
  cp1252: 'windows-1252',
};

/** @throws TuneError `usage` for a name that is not known */
export function parseEncoding(name: string): TextEncoding {
  const known = aliases[name.toLowerCase().replace(/[^a-z0-9]/g, '')];
  if (known !== undefined) return known;
  throw new TuneError('usage', `encoding: expected one of ${textEncodings.join(', ')}, gbk, latin1, got "${name}"`);
}

/**
 * The encoding of bytes that are text but not UTF-8, or UTF-8 itself where only a few bytes of otherwise good UTF-8 are
 * wrong: those are damage, to be told by line.
 */
export function guessEncoding(head: Uint8Array, isWhole: boolean): TextEncoding {
  const bytes = isWhole ? head : cutUnfinished(head);
  if (isUtf8(bytes)) return 'utf-8';
  const { sequences, wrong } = countUtf8(bytes);
  if (sequences > 2 * wrong) return 'utf-8';
  if (endsInside(bytes, isWhole)) return 'utf-8';
  return isGb18030(bytes) ? 'gb18030' : 'windows-1252';
}

/** The bytes without the beginning of a character at their end. */
function cutUnfinished(bytes: Uint8Array): Uint8Array {
  for (let cut = 1; cut <= Math.min(3, bytes.length); cut++) {
    if (bytes[bytes.length - cut]! >= 0xc0) return bytes.subarray(0, bytes.length - cut);
    if (bytes[bytes.length - cut]! < 0x80) break;
  }
  return bytes;
}

/** Whether the only wrong thing is that a file ends in the middle of a character. */
function endsInside(bytes: Uint8Array, isWhole: boolean): boolean {
  const cut = cutUnfinished(bytes);
  return (
    isWhole &&
    cut.length < bytes.length &&
    isUtf8(cut) &&
    bytes.length - cut.length < sequenceLength(bytes[cut.length]!)
  );
}

function sequenceLength(first: number): number {
  return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 1;
}

/** Well-formed sequences of more than one byte, and bytes that belong to none. */
function countUtf8(bytes: Uint8Array): { sequences: number; wrong: number } {
  let sequences = 0;
  let wrong = 0;
  for (let at = 0; at < bytes.length; ) {
    if (bytes[at]! < 0x80) {
      at++;
      continue;
    }
    const length = sequenceLength(bytes[at]!);
    if (length > 1 && isUtf8(bytes.subarray(at, at + length)) && at + length <= bytes.length) {
      sequences++;
      at += length;
    } else {
      wrong++;
      at++;
    }
  }
  return { sequences, wrong };
}

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

/** In Chinese text both bytes of a pair are high (GB 2312); in Latin-1 a high byte stands among plain letters. */
function isGb18030(bytes: Uint8Array): boolean {
  let pairs = 0;
  let others = 0;
  for (let at = 0; at < bytes.length; at++) {
    const first = bytes[at]!;
    if (first < 0x80) continue;
    const second = bytes[at + 1];
    if (second === undefined) break;
    const isFourBytes = isDigit(second) && (bytes[at + 2] ?? 0) >= 0x81 && isDigit(bytes[at + 3] ?? 0x30);
    if ((first >= 0xa1 && first <= 0xf7 && second >= 0xa1) || isFourBytes) pairs++;
    else others++;
    if (first < 0x81 || first === 0xff || !(second >= 0x40 || isFourBytes) || second === 0x7f) return false;
    at += isFourBytes ? 3 : 1;
  }
  return pairs > 4 * others;
}
