/**
 * @file The pages of one Parquet column -> nothing, when their headers are sound. The library believes what headers say: a
 * negative size sends it back for ever, a huge count fills the memory. So they are read here first (Thrift's compact protocol).
 */

/** Values of a struct by field id; what no check looks at is left out. */
type Struct = ReadonlyMap<number, number | Struct>;

const maxPageBytes = 256 * 1024 * 1024;
const maxDepth = 16;
/** Fields of PageHeader, and of the headers in it. */
const fields = {
  type: 1,
  uncompressedBytes: 2,
  compressedBytes: 3,
  dataPage: 5,
  dictionaryPage: 7,
  dataPageV2: 8,
} as const;
const pageTypes = { data: 0, index: 1, dictionary: 2, dataV2: 3 } as const;

/** @throws Error saying what is wrong */
export function vetParquetPages(bytes: Uint8Array, valueCount: number): void {
  const reader = new CompactReader(bytes);
  let values = 0;
  while (reader.at < bytes.length && values < valueCount) {
    const header = reader.readStruct(0);
    const size = (field: number): number => {
      const held = header.get(field);
      if (typeof held !== 'number' || held < 0 || held > maxPageBytes)
        throw new Error(`a page of ${String(held)} bytes`);
      return held;
    };
    size(fields.uncompressedBytes);
    const compressedBytes = size(fields.compressedBytes);
    if (reader.at + compressedBytes > bytes.length) throw new Error('a page that ends behind its column');
    values += countValues(header, valueCount);
    reader.at += compressedBytes;
  }
  if (values !== valueCount) throw new Error(`pages with ${values} values in a column of ${valueCount}`);
}

/** Values of a data page; 0 for others. Levels and indices must fit in front of what follows them. */
function countValues(header: Struct, valueCount: number): number {
  const type = header.get(fields.type);
  const inner = (field: number): Struct => {
    const held = header.get(field);
    if (held instanceof Map) return held;
    throw new Error('a page without its header');
  };
  const count = (held: number | Struct | undefined, most: number): number => {
    if (typeof held === 'number' && held >= 0 && held <= most) return held;
    throw new Error(`a page of ${String(held)} values in a column of ${valueCount}`);
  };
  if (type === pageTypes.data) return count(inner(fields.dataPage).get(1), valueCount);
  if (type === pageTypes.dataV2) {
    const page = inner(fields.dataPageV2);
    const values = count(page.get(1), valueCount);
    count(page.get(2) ?? 0, values);
    const levels = count(page.get(5), maxPageBytes) + count(page.get(6), maxPageBytes);
    const [compressed, whole] = [
      Number(header.get(fields.compressedBytes)),
      Number(header.get(fields.uncompressedBytes)),
    ];
    if (levels > Math.min(compressed, whole)) throw new Error(`levels of ${levels} bytes in a page of ${whole}`);
    return values;
  }
  if (type === pageTypes.dictionary) count(inner(fields.dictionaryPage).get(1), maxPageBytes);
  else if (type !== pageTypes.index) throw new Error('a page of no known type');
  return 0;
}

class CompactReader {
  at = 0;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  readStruct(depth: number): Struct {
    if (depth > maxDepth) throw new Error('a page header nested too deeply');
    const struct = new Map<number, number | Struct>();
    for (let id = 0; ; ) {
      const lead = this.readByte();
      if (lead === 0) return struct;
      const step = lead >> 4;
      id = step === 0 ? this.readZigZag() : id + step;
      const value = this.readValue(lead & 15, depth);
      if (value !== undefined) struct.set(id, value);
    }
  }

  /** Undefined for what is only skipped. */
  private readValue(type: number, depth: number): number | Struct | undefined {
    switch (type) {
      case 1: // true
      case 2: // false
        return undefined;
      case 3:
        this.skip(1);
        return undefined;
      case 4: // 16, 32 and 64 bits
      case 5:
      case 6:
        return this.readZigZag();
      case 7:
        this.skip(8);
        return undefined;
      case 8:
        this.skip(this.readVarint());
        return undefined;
      case 9: // list
      case 10: {
        const lead = this.readByte();
        const count = lead >> 4 === 15 ? this.readVarint() : lead >> 4;
        const kind = lead & 15;
        for (let i = 0; i < count; i++) {
          if (kind === 1 || kind === 2) this.skip(1);
          else this.readValue(kind, depth + 1);
        }
        return undefined;
      }
      case 12:
        return this.readStruct(depth + 1);
      default:
        throw new Error(`a page header with the unknown type ${type}`);
    }
  }

  private skip(count: number): void {
    this.at += count;
    if (this.at > this.bytes.length) throw new Error('a page header that ends behind its column');
  }

  private readByte(): number {
    this.skip(1);
    return this.bytes[this.at - 1]!;
  }

  private readVarint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.readByte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      if (factor > 2 ** 60) throw new Error('a number of too many bytes');
    }
  }

  private readZigZag(): number {
    const value = this.readVarint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}
