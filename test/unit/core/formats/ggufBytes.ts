/** Builds GGUF files by hand, wrong ones included. */
export class GgufBytes {
  private readonly parts: number[] = [];

  constructor(version: number, magic = 0x46554747) {
    this.uint32(magic).uint32(version);
  }

  counts(tensors: number, metadata: number): this {
    return this.uint64(BigInt(tensors)).uint64(BigInt(metadata));
  }

  key(name: string, type: number): this {
    return this.string(name).uint32(type);
  }

  tensor(name: string, dimensions: number[], type: number, offset: number): this {
    this.string(name).uint32(dimensions.length);
    for (const size of dimensions) this.uint64(BigInt(size));
    return this.uint32(type).uint64(BigInt(offset));
  }

  /** Lists of one list, `depth` deep. */
  nest(depth: number): this {
    for (let i = 0; i < depth; i++) this.uint32(9).uint64(1n);
    return this;
  }

  string(text: string): this {
    const bytes = new TextEncoder().encode(text);
    return this.uint64(BigInt(bytes.length)).bytes(...bytes);
  }

  bytes(...values: number[]): this {
    for (const value of values) this.parts.push(value);
    return this;
  }

  uint32(value: number): this {
    return this.bytes(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24);
  }

  uint64(value: bigint): this {
    return this.uint32(Number(value & 0xffffffffn)).uint32(Number(value >> 32n));
  }

  pad(alignment: number): this {
    while (this.parts.length % alignment !== 0) this.parts.push(0);
    return this;
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.parts);
  }
}
