/** @file First bytes of a file -> text with the encoding that marks or zeros announce, or the name of what it is instead. */
import type { TextEncoding } from '../../../shared/datasetFormats.ts';

export type Encoding =
  | { readonly kind: 'text'; readonly encoding: TextEncoding | 'unmarked'; readonly bomBytes: number }
  | { readonly kind: 'binary'; readonly name: string };

const byteOrderMarks: readonly [readonly number[], TextEncoding][] = [
  [[0xef, 0xbb, 0xbf], 'utf-8'],
  [[0xff, 0xfe], 'utf-16le'],
  [[0xfe, 0xff], 'utf-16be'],
  [[0x84, 0x31, 0x95, 0x33], 'gb18030'],
];

const signatures: readonly [readonly number[], string][] = [
  [[0xff, 0xfe, 0x00, 0x00], 'UTF-32 LE'],
  [[0x00, 0x00, 0xfe, 0xff], 'UTF-32 BE'],
  [[0x1f, 0x8b], 'a gzip archive inside a gzip archive'],
  [[0x50, 0x4b, 0x03, 0x04], 'a ZIP archive or Office document'],
  [[0x50, 0x41, 0x52, 0x31], 'a Parquet file'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'a Zstandard archive'],
  [[0x25, 0x50, 0x44, 0x46], 'a PDF document'],
  [[0x41, 0x52, 0x52, 0x4f, 0x57, 0x31], 'an Arrow file'],
  [[0x53, 0x51, 0x4c, 0x69, 0x74, 0x65, 0x20], 'a SQLite database'],
  [[0xd0, 0xcf, 0x11, 0xe0], 'an old Office document'],
];

/** What the first bytes (a few kilobytes are enough) announce. Later bytes can still turn out to be wrong. */
export function detectEncoding(head: Uint8Array): Encoding {
  const startsWith = (bytes: readonly number[]) => bytes.every((byte, i) => head[i] === byte);
  for (const [bytes, name] of signatures) {
    if (startsWith(bytes)) return { kind: 'binary', name };
  }
  for (const [bytes, encoding] of byteOrderMarks) {
    if (startsWith(bytes)) return { kind: 'text', encoding, bomBytes: bytes.length };
  }
  return detectZeros(head);
}

/** Zeros at every second byte are UTF-16 without a mark; any other zero is not text, nor are many control characters. */
function detectZeros(head: Uint8Array): Encoding {
  const zeros: [number, number] = [0, 0];
  let controls = 0;
  for (let i = 0; i < head.length; i++) {
    if (head[i] === 0) zeros[(i & 1) as 0 | 1]++;
    else if (head[i]! < 9 || (head[i]! > 13 && head[i]! < 32 && head[i] !== 27)) controls++;
  }
  const [even, odd] = zeros;
  const most = head.length / 2;
  if (odd > 0.3 * most && even < 0.05 * most) return { kind: 'text', encoding: 'utf-16le', bomBytes: 0 };
  if (even > 0.3 * most && odd < 0.05 * most) return { kind: 'text', encoding: 'utf-16be', bomBytes: 0 };
  if (even + odd > 0 || controls > 0.02 * head.length) return { kind: 'binary', name: 'a binary file' };
  return { kind: 'text', encoding: 'unmarked', bomBytes: 0 };
}
