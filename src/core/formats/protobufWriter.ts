/** @file Values -> protocol buffer wire format, as far as ONNX and TensorBoard need it. @see https://protobuf.dev/programming-guides/encoding */

const utf8 = new TextEncoder();
const wireVarint = 0;
const wireFixed64 = 1;
const wireBytes = 2;
const wireFixed32 = 5;

/** Collects the fields of one message; nothing is joined before `finish`. */
export class ProtobufWriter {
  private readonly parts: Uint8Array[] = [];
  private byteLength = 0;

  int(field: number, value: number | bigint): this {
    return this.tag(field, wireVarint).varint(value);
  }

  float(field: number, value: number): this {
    return this.tag(field, wireFixed32).append(new Uint8Array(Float32Array.of(value).buffer));
  }

  double(field: number, value: number): this {
    return this.tag(field, wireFixed64).append(new Uint8Array(Float64Array.of(value).buffer));
  }

  text(field: number, value: string): this {
    return this.bytes(field, utf8.encode(value));
  }

  bytes(field: number, value: Uint8Array): this {
    return this.tag(field, wireBytes).varint(value.length).append(value);
  }

  message(field: number, value: ProtobufWriter): this {
    this.tag(field, wireBytes).varint(value.byteLength);
    for (const part of value.parts) this.append(part);
    return this;
  }

  finish(): Uint8Array {
    const joined = new Uint8Array(this.byteLength);
    let offset = 0;
    for (const part of this.parts) {
      joined.set(part, offset);
      offset += part.length;
    }
    return joined;
  }

  private tag(field: number, wireType: number): this {
    return this.varint((field << 3) | wireType);
  }

  /** Negative numbers are written as 64-bit two's complement. */
  private varint(value: number | bigint): this {
    const bytes: number[] = [];
    if (typeof value === 'number' && value >= 0 && value < 2 ** 31) {
      let rest = value;
      for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
      bytes.push(rest);
    } else {
      let rest = BigInt.asUintN(64, BigInt(value));
      for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
      bytes.push(Number(rest));
    }
    return this.append(Uint8Array.from(bytes));
  }

  private append(part: Uint8Array): this {
    this.parts.push(part);
    this.byteLength += part.length;
    return this;
  }
}
