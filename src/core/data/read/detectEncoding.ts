/**
 * @file First bytes of a file -> "this is UTF-8" or the name of what it is instead.
 * Only UTF-8 is read (RFC 8259); everything else is named so that the user knows how to convert it.
 */

export type Encoding =
  | { readonly kind: 'utf8'; readonly bomBytes: 0 | 3 }
  | { readonly kind: 'other'; readonly name: string; readonly iconvName?: string }
  | { readonly kind: 'binary'; readonly name: string };

const byteOrderMarks: readonly [readonly number[], string, string][] = [
  [[0xff, 0xfe, 0x00, 0x00], 'UTF-32 LE', 'UTF-32LE'],
  [[0x00, 0x00, 0xfe, 0xff], 'UTF-32 BE', 'UTF-32BE'],
  [[0xff, 0xfe], 'UTF-16 LE', 'UTF-16LE'],
  [[0xfe, 0xff], 'UTF-16 BE', 'UTF-16BE'],
];

const signatures: readonly [readonly number[], string][] = [
  [[0x1f, 0x8b], 'a gzip archive'],
  [[0x50, 0x4b, 0x03, 0x04], 'a ZIP archive or Office document'],
  [[0x50, 0x41, 0x52, 0x31], 'a Parquet file'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'a Zstandard archive'],
  [[0x25, 0x50, 0x44, 0x46], 'a PDF document'],
  [[0x41, 0x52, 0x52, 0x4f, 0x57, 0x31], 'an Arrow file'],
  [[0x53, 0x51, 0x4c, 0x69, 0x74, 0x65, 0x20], 'a SQLite database'],
  [[0xd0, 0xcf, 0x11, 0xe0], 'an old Office document'],
];

/** The encoding that the first bytes (a few kilobytes are enough) announce. Later bytes can still turn out to be wrong. */
export function detectEncoding(head: Uint8Array): Encoding {
  const startsWith = (bytes: readonly number[]) => bytes.every((byte, i) => head[i] === byte);
  if (startsWith([0xef, 0xbb, 0xbf])) return { kind: 'utf8', bomBytes: 3 };
  for (const [bytes, name, iconvName] of byteOrderMarks) {
    if (startsWith(bytes)) return { kind: 'other', name, iconvName };
  }
  for (const [bytes, name] of signatures) {
    if (startsWith(bytes)) return { kind: 'binary', name };
  }
  return detectZeros(head);
}

/** Zeros at every second byte are UTF-16 without a mark; any other zero is not text. */
function detectZeros(head: Uint8Array): Encoding {
  const zeros: [number, number] = [0, 0];
  for (let i = 0; i < head.length; i++) if (head[i] === 0) zeros[(i & 1) as 0 | 1]++;
  const [even, odd] = zeros;
  if (even + odd === 0) return { kind: 'utf8', bomBytes: 0 };
  const most = head.length / 2;
  if (odd > 0.3 * most && even < 0.05 * most) return { kind: 'other', name: 'UTF-16 LE', iconvName: 'UTF-16LE' };
  if (even > 0.3 * most && odd < 0.05 * most) return { kind: 'other', name: 'UTF-16 BE', iconvName: 'UTF-16BE' };
  return { kind: 'binary', name: 'a binary file' };
}
