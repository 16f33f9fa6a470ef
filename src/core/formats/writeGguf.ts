/**
 * @file Named tensors -> a GGUF file (version 3, little-endian, data aligned to 32 bytes). Tensors are written one after
 * another, so that only one need be in memory. @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
import { ggufTensorTypes } from './ggufTypes.ts';

export interface GgufTensorToWrite {
  readonly name: string;
  /** As `ggufTensorTypes` names it: `F32`, `Q4_0`... */
  readonly dtype: string;
  /** Row-major; the file has the dimensions turned round. */
  readonly shape: readonly number[];
  /** The stored bytes; called when they are written. */
  readonly readPieces: () => Iterable<Uint8Array>;
}

/** Whole numbers become uint32, `{ float }` float32, lists arrays of one type; `{ raw }` is a value with its type in front, as another file has it. */
export type GgufValueToWrite =
  | string
  | number
  | boolean
  | readonly string[]
  | readonly boolean[]
  | Int32Array
  | Float32Array
  | { readonly float: number }
  | { readonly raw: Uint8Array };

const alignment = 32;
const valueTypes = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 } as const;

/** The file's bytes in pieces, for `writeStagedFile`. */
export function* serializeGguf(
  tensors: readonly GgufTensorToWrite[],
  metadata: Readonly<Record<string, GgufValueToWrite>>,
): Generator<Uint8Array> {
  const head = encodeHead(tensors, metadata);
  yield head;
  yield pad(head.byteLength);
  for (const tensor of tensors) {
    let written = 0;
    for (const piece of tensor.readPieces()) {
      written += piece.byteLength;
      yield piece;
    }
    const expected = countBytes(tensor);
    if (written !== expected) throw new Error(`internal: ${tensor.name}: expected ${expected} bytes, got ${written}`);
    yield pad(written);
  }
}

function encodeHead(
  tensors: readonly GgufTensorToWrite[],
  metadata: Readonly<Record<string, GgufValueToWrite>>,
): Uint8Array {
  const head = new HeadWriter();
  head.uint32(0x46554747).uint32(3).uint64(tensors.length).uint64(Object.keys(metadata).length);
  for (const [key, value] of Object.entries(metadata)) head.text(key).value(value);
  let offset = 0;
  for (const tensor of tensors) {
    head.text(tensor.name).uint32(tensor.shape.length);
    for (const dim of [...tensor.shape].reverse()) head.uint64(dim);
    head.uint32(findTypeNumber(tensor.dtype)).uint64(offset);
    offset = Math.ceil((offset + countBytes(tensor)) / alignment) * alignment;
  }
  return head.finish();
}

function findTypeNumber(dtype: string): number {
  for (const [number, { name }] of ggufTensorTypes) if (name === dtype) return number;
  throw new Error(`internal: gguf: expected a known type, got ${dtype}`);
}

function countBytes({ dtype, shape }: GgufTensorToWrite): number {
  const { blockElements, blockBytes } = ggufTensorTypes.get(findTypeNumber(dtype))!;
  return (shape.reduce((product, dim) => product * dim, 1) / blockElements) * blockBytes;
}

function pad(written: number): Uint8Array {
  return new Uint8Array((alignment - (written % alignment)) % alignment);
}

class HeadWriter {
  private readonly parts: Uint8Array[] = [];

  uint32(value: number): this {
    return this.number(4, view => view.setUint32(0, value, true));
  }

  uint64(value: number): this {
    return this.number(8, view => view.setBigUint64(0, BigInt(value), true));
  }

  text(text: string): this {
    const bytes = new TextEncoder().encode(text);
    this.uint64(bytes.byteLength).parts.push(bytes);
    return this;
  }

  value(value: GgufValueToWrite): this {
    if (typeof value === 'string') return this.uint32(valueTypes.string).text(value);
    if (typeof value === 'number') return this.uint32(valueTypes.uint32).uint32(value);
    if (typeof value === 'boolean') {
      return this.uint32(valueTypes.bool).number(1, view => view.setUint8(0, Number(value)));
    }
    if ('raw' in value) return this.bytes(value.raw);
    if ('float' in value)
      return this.uint32(valueTypes.float32).number(4, view => view.setFloat32(0, value.float, true));
    return this.uint32(valueTypes.array).list(value);
  }

  private list(values: readonly string[] | readonly boolean[] | Int32Array | Float32Array): this {
    if (values instanceof Int32Array || values instanceof Float32Array) {
      this.uint32(values instanceof Int32Array ? valueTypes.int32 : valueTypes.float32).uint64(values.length);
      return this.bytes(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    }
    if (typeof values[0] === 'boolean') {
      this.uint32(valueTypes.bool).uint64(values.length);
      return this.bytes(Uint8Array.from(values, Number));
    }
    this.uint32(valueTypes.string).uint64(values.length);
    for (const text of values) this.text(String(text));
    return this;
  }

  private bytes(bytes: Uint8Array): this {
    this.parts.push(bytes);
    return this;
  }

  finish(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.parts));
  }

  private number(bytes: number, write: (view: DataView) => void): this {
    const view = new DataView(new ArrayBuffer(bytes));
    write(view);
    this.parts.push(new Uint8Array(view.buffer));
    return this;
  }
}
