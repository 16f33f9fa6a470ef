/**
 * @file Little-endian numbers, strings and arrays from the head of a GGUF file, read through a small window. Every count and
 * length is checked against the bytes that are left before anything is allocated for it.
 */
import { TuneError } from '../../shared/errors.ts';
import type { RandomAccessFile } from './randomAccessFile.ts';

/** A metadata value. 64-bit integers beyond 2^53 stay bigint; arrays of numbers are typed arrays or plain lists. */
export type GgufValue = number | bigint | boolean | string | GgufArray;
export type GgufArray = readonly GgufValue[] | Float32Array | Float64Array | Uint8Array | Int32Array | Uint32Array;

/** Real heads hold a few MB of vocabulary; one beyond this is refused while it is read. */
const maxHeadBytes = 128 * 1024 * 1024;
const windowBytes = 1024 * 1024;
const maxArrayDepth = 3;
/** Lists that become JavaScript arrays; the largest vocabularies have a quarter of a million tokens. */
const maxListItems = 4 * 1024 * 1024;

/** Bytes that one value takes at least, by its type's number: u8 i8 u16 i16 u32 i32 f32 bool string array u64 i64 f64. */
const minimumValueBytes = [1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8];

export class GgufCursor {
  private readonly file: RandomAccessFile;
  private readonly limit: number;
  private position = 0;
  private window = new DataView(new ArrayBuffer(0));
  private windowStart = 0;

  constructor(file: RandomAccessFile) {
    this.file = file;
    this.limit = Math.min(file.bytes, maxHeadBytes);
  }

  /** From the start of the file. */
  get offset(): number {
    return this.position;
  }

  /** @throws TuneError `model-invalid` naming the file and both values. */
  fail(expected: string, got: string): never {
    throw new TuneError('model-invalid', `${this.file.path}: expected ${expected}, got ${got}`, {
      file: this.file.path,
      hint: 'The file is damaged, cut short or not a GGUF file: download or export it again.',
    });
  }

  readUint32(): number {
    const at = this.take(4);
    return this.window.getUint32(at, true);
  }

  /** A count or offset. */
  readUint64(what: string): number {
    const at = this.take(8);
    const value = this.window.getBigUint64(at, true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) this.fail(`${what} that fits the file`, `${value}`);
    return Number(value);
  }

  /** A count of things that take at least `minimumBytes` each, which the file therefore bounds. */
  readCount(what: string, minimumBytes: number): number {
    const count = this.readUint64(what);
    const left = this.limit - this.position;
    if (count * minimumBytes > left) this.fail(`${what} that fits the ${left} bytes left`, `${count}`);
    return count;
  }

  readString(what: string, isFatal: boolean): string {
    const length = this.readCount(`a length of ${what}`, 1);
    const bytes = this.readBytes(length);
    try {
      return new TextDecoder('utf-8', { fatal: isFatal, ignoreBOM: true }).decode(bytes);
    } catch {
      return this.fail(`${what} in UTF-8`, 'other bytes');
    }
  }

  readValue(key: string, type: number, depth = 0): GgufValue {
    switch (type) {
      case 0:
        return this.window.getUint8(this.take(1));
      case 1:
        return this.window.getInt8(this.take(1));
      case 2:
        return this.window.getUint16(this.take(2), true);
      case 3:
        return this.window.getInt16(this.take(2), true);
      case 4:
        return this.readUint32();
      case 5:
        return this.window.getInt32(this.take(4), true);
      case 6:
        return this.window.getFloat32(this.take(4), true);
      case 7:
        return this.readBoolean(key);
      case 8:
        // A token or a description with stray bytes is no reason to refuse a model.
        return this.readString(key, false);
      case 9:
        return this.readArray(key, depth);
      case 10:
        return narrow(this.window.getBigUint64(this.take(8), true));
      case 11:
        return narrow(this.window.getBigInt64(this.take(8), true));
      case 12:
        return this.window.getFloat64(this.take(8), true);
      default:
        return this.fail(`a value type from 0 to 12 for ${quote(key)}`, `${type}`);
    }
  }

  private readBoolean(key: string): boolean {
    const value = this.window.getUint8(this.take(1));
    return value <= 1 ? value === 1 : this.fail(`0 or 1 for ${quote(key)}`, `${value}`);
  }

  private readArray(key: string, depth: number): GgufArray {
    if (depth >= maxArrayDepth) return this.fail(`at most ${maxArrayDepth} nested lists in ${quote(key)}`, 'more');
    const type = this.readUint32();
    const minimumBytes = minimumValueBytes[type];
    if (minimumBytes === undefined) return this.fail(`a value type from 0 to 12 for ${quote(key)}`, `${type}`);
    const count = this.readCount(`a count of values for ${quote(key)}`, minimumBytes);
    switch (type) {
      case 0:
        return this.readBytes(count);
      case 4:
        return new Uint32Array(this.readBytes(count * 4).buffer);
      case 5:
        return new Int32Array(this.readBytes(count * 4).buffer);
      case 6:
        return new Float32Array(this.readBytes(count * 4).buffer);
      case 12:
        return new Float64Array(this.readBytes(count * 8).buffer);
      default: {
        if (count > maxListItems) this.fail(`at most ${maxListItems} values for ${quote(key)}`, `${count}`);
        const values: GgufValue[] = [];
        for (let i = 0; i < count; i++) values.push(this.readValue(key, type, depth + 1));
        return values;
      }
    }
  }

  /** A copy of the next `length` bytes, alone in its buffer. */
  private readBytes(length: number): Uint8Array {
    if (length > windowBytes) {
      this.checkLeft(length);
      const bytes = this.file.read(this.position, length);
      this.position += length;
      return bytes;
    }
    const at = this.take(length);
    return new Uint8Array(this.window.buffer.slice(at, at + length));
  }

  /** Makes the next `length` bytes present in the window and steps over them. @returns their place in the window */
  private take(length: number): number {
    const at = this.position - this.windowStart;
    if (at + length <= this.window.byteLength) {
      this.position += length;
      return at;
    }
    this.checkLeft(length);
    const available = Math.min(Math.max(windowBytes, length), this.file.bytes - this.position);
    this.window = new DataView(this.file.read(this.position, available).buffer);
    this.windowStart = this.position;
    this.position += length;
    return 0;
  }

  private checkLeft(length: number): void {
    const end = this.position + length;
    if (end <= this.limit) return;
    if (this.limit < this.file.bytes) this.fail(`metadata of at most ${maxHeadBytes} bytes`, 'more');
    this.fail(`at least ${end} bytes`, `a file of ${this.file.bytes} bytes`);
  }
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

export function quote(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}...` : name);
}
