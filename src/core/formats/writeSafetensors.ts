/**
 * @file Named tensors -> a safetensors file, byte for byte as Hugging Face's library writes it: larger element types first,
 * then by name; header padded with spaces to a multiple of 8.
 */
import { TuneError } from '../../shared/errors.ts';
import { writeStagedFile } from './stagedFile.ts';

/** Element bytes, and the order in which the reference puts types of equal size. */
const writableDtypes = {
  F64: { bytes: 8, rank: 5 },
  F32: { bytes: 4, rank: 4 },
  I32: { bytes: 4, rank: 3 },
  BF16: { bytes: 2, rank: 2 },
  F16: { bytes: 2, rank: 1 },
  U8: { bytes: 1, rank: 0 },
} as const;

export interface TensorToWrite {
  readonly name: string;
  readonly dtype: keyof typeof writableDtypes;
  readonly shape: readonly number[];
  /** The stored bytes; called when they are written, so that only one tensor need be in memory. See `encodeFloats`. */
  readonly readPieces: () => Iterable<Uint8Array>;
}

/** Writes `path` whole or not at all. Metadata keys are written sorted. @throws TuneError `disk-full` | `not-writable` */
export function writeSafetensors(
  path: string,
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>> = {},
): void {
  writeStagedFile(path, serializeSafetensors(tensors, metadata));
}

/** The file's bytes in pieces. */
export function* serializeSafetensors(
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>> = {},
): Generator<Uint8Array> {
  const ordered = [...tensors].sort(
    (a, b) => writableDtypes[b.dtype].rank - writableDtypes[a.dtype].rank || compareUtf8(a.name, b.name),
  );
  yield encodeHeader(ordered, metadata);
  for (const tensor of ordered) {
    let written = 0;
    for (const piece of tensor.readPieces()) {
      written += piece.byteLength;
      yield piece;
    }
    const expected = countBytes(tensor);
    if (written !== expected) {
      throw new TuneError(
        'internal',
        `internal: ${tensor.name} has ${written} bytes where its shape needs ${expected}`,
      );
    }
  }
}

function encodeHeader(tensors: readonly TensorToWrite[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const entries: string[] = [];
  const sortedMetadata = Object.entries(metadata).sort(([a], [b]) => compareUtf8(a, b));
  if (sortedMetadata.length > 0) {
    const fields = sortedMetadata.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
    entries.push(`"__metadata__":{${fields.join(',')}}`);
  }
  const names = new Set(['__metadata__']);
  let offset = 0;
  for (const tensor of tensors) {
    if (names.has(tensor.name)) throw new TuneError('internal', `internal: two tensors are named ${tensor.name}`);
    names.add(tensor.name);
    const end = offset + countBytes(tensor);
    const { dtype, shape } = tensor;
    entries.push(`${JSON.stringify(tensor.name)}:${JSON.stringify({ dtype, shape, data_offsets: [offset, end] })}`);
    offset = end;
  }
  const text = new TextEncoder().encode(`{${entries.join(',')}}`);
  const headerBytes = Math.ceil(text.byteLength / 8) * 8;
  const header = new Uint8Array(8 + headerBytes).fill(0x20, 8);
  new DataView(header.buffer).setBigUint64(0, BigInt(headerBytes), true);
  header.set(text, 8);
  return header;
}

function countBytes({ shape, dtype }: TensorToWrite): number {
  return shape.reduce((product, size) => product * size, writableDtypes[dtype].bytes);
}

/** Rust orders strings by their UTF-8 bytes, which is the order of code points. */
function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
