/**
 * @file Weights stored as floats -> the same weights in quantized blocks, rounded when they are read: linear weights to
 * Q4_0, embedding and head to Q8_0. Whatever is in blocks already stays as it is.
 */
import {
  type QuantizedType,
  quantizeBlocks,
  quantizedBlockBytes,
  quantizedBlockElements,
} from '../formats/quantizeBlocks.ts';
import { floatCodecs } from '../formats/tensorCodec.ts';
import type { RowRange, TensorInfo, TensorSource } from '../formats/tensorSource.ts';
import { decodeBlocks, unpackBlocks } from '../formats/weightBlocks.ts';
import type { ParameterInfo } from './architecture.ts';

/** Weights that are rounded at a time. */
const chunkElements = 4 * 2 ** 20;

/** The type that a matrix is rounded to; undefined where it stays as it is stored. */
export function chooseQuantizedType(matrix: ParameterInfo, stored: TensorInfo): QuantizedType | undefined {
  const isFloat = floatCodecs.has(stored.dtype);
  if (!isFloat || matrix.shape.at(-1)! % quantizedBlockElements !== 0) return undefined;
  return matrix.kind === 'linear' ? 'Q4_0' : 'Q8_0';
}

/** A source whose float matrices look as if a GGUF file held them in blocks. Owns nothing: close `source` itself. */
export class QuantizedTensors implements TensorSource {
  readonly names: readonly string[];
  /** What is rounded here, by name. */
  readonly types: ReadonlyMap<string, QuantizedType>;
  private readonly source: TensorSource;

  constructor(source: TensorSource, matrices: readonly ParameterInfo[]) {
    this.source = source;
    this.names = source.names;
    const types = new Map<string, QuantizedType>();
    for (const matrix of matrices) {
      const type = chooseQuantizedType(matrix, source.info(matrix.name));
      if (type) types.set(matrix.name, type);
    }
    this.types = types;
  }

  info(name: string): TensorInfo {
    const info = this.source.info(name);
    const type = this.types.get(name);
    if (!type) return info;
    const elements = info.shape.reduce((product, dim) => product * dim, 1);
    return { ...info, dtype: type, storedBytes: (elements / quantizedBlockElements) * quantizedBlockBytes[type] };
  }

  readFloat32(name: string): Float32Array {
    return this.readFloat32Rows(name, 0, this.info(name).shape[0] ?? 1);
  }

  readFloat32Rows(name: string, firstRow: number, rowCount: number): Float32Array {
    const type = this.types.get(name);
    if (!type) return this.source.readFloat32Rows(name, firstRow, rowCount);
    const blocks = unpackBlocks(type, this.readBytes(name, { first: firstRow, count: rowCount }));
    const values = new Float32Array(rowCount * this.info(name).shape[1]!);
    decodeBlocks(blocks, 0, values);
    return values;
  }

  readBytes(name: string, rows?: RowRange): Uint8Array {
    const type = this.types.get(name);
    if (!type) return this.source.readBytes(name, rows);
    const pieces = [...this.readPieces(name, rows)];
    const result = new Uint8Array(pieces.reduce((total, piece) => total + piece.byteLength, 0));
    let at = 0;
    for (const piece of pieces) {
      result.set(piece, at);
      at += piece.byteLength;
    }
    return result;
  }

  /** The bytes of a tensor that is rounded here, some rows at a time. */
  *readPieces(name: string, rows?: RowRange): Generator<Uint8Array> {
    const { shape } = this.info(name);
    const { first, count } = rows ?? { first: 0, count: shape[0]! };
    const step = Math.max(1, Math.floor(chunkElements / shape[1]!));
    for (let row = first; row < first + count; row += step) {
      const values = this.source.readFloat32Rows(name, row, Math.min(step, first + count - row));
      yield quantizeBlocks(values, this.types.get(name)!);
    }
  }

  close(): void {
    // The source stays whoever's it is.
  }
}
