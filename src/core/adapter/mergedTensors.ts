/**
 * @file A base model's tensors and an adapter -> the tensors of a model that has the adapter in its weights: W + scale B A, for
 * DoRA each row to its magnitude, in float32, computed row by row when they are read. Blocks of a quantized base become
 * floats first, as training saw them; what the adapter leaves alone stays as it is stored.
 */
import { encodeFloats } from '../formats/encodeFloats.ts';
import { ForwardedTensors } from '../formats/forwardedTensors.ts';
import type { RowRange, TensorInfo, TensorSource } from '../formats/tensorSource.ts';
import type { Adapter, LoraPair, SavedParameter } from './readAdapter.ts';

/** Owns nothing: close `base` itself. */
export class MergedTensors extends ForwardedTensors {
  readonly names: readonly string[];
  private readonly base: TensorSource;
  private readonly pairs: ReadonlyMap<string, LoraPair>;
  private readonly saved: ReadonlyMap<string, SavedParameter>;

  constructor(base: TensorSource, { pairs, saved }: Pick<Adapter, 'pairs' | 'saved'>) {
    super();
    this.base = base;
    this.names = base.names;
    this.pairs = new Map(pairs.map(pair => [`${pair.module}.weight`, pair]));
    this.saved = new Map(saved.map(parameter => [parameter.name, parameter]));
  }

  /** Whether the adapter changes this tensor. */
  isChanged(name: string): boolean {
    return this.pairs.has(name) || this.saved.has(name);
  }

  override info(name: string): TensorInfo {
    const info = this.base.info(name);
    if (!this.isChanged(name)) return info;
    return { ...info, dtype: 'F32', storedBytes: 4 * info.shape.reduce((product, dim) => product * dim, 1) };
  }

  override readFloat32(name: string): Float32Array {
    return this.isChanged(name)
      ? this.readFloat32Rows(name, 0, this.info(name).shape[0] ?? 1)
      : super.readFloat32(name);
  }

  override readFloat32Rows(name: string, firstRow: number, rowCount: number): Float32Array {
    const own = this.saved.get(name);
    if (own !== undefined) {
      const rowElements = own.data.length / own.shape[0]!;
      return own.data.subarray(firstRow * rowElements, (firstRow + rowCount) * rowElements);
    }
    const rows = super.readFloat32Rows(name, firstRow, rowCount);
    const pair = this.pairs.get(name);
    return pair === undefined ? rows : addPair(rows, firstRow, pair);
  }

  override readBytes(name: string, rows?: RowRange): Uint8Array {
    if (!this.isChanged(name)) return super.readBytes(name, rows);
    const { first, count } = rows ?? { first: 0, count: this.info(name).shape[0] ?? 1 };
    return encodeFloats(this.readFloat32Rows(name, first, count), 'F32');
  }

  close(): void {
    // The base stays whoever's it is.
  }

  protected find(): TensorSource {
    return this.base;
  }
}

/** Rows [n, in] of W, from `firstRow` on -> those of the merged weight. Sums and lengths are of float64. */
function addPair(rows: Float32Array, firstRow: number, pair: LoraPair): Float32Array {
  const { a, b, rank, scale, inputSize, magnitude } = pair;
  const merged = new Float32Array(rows.length);
  const row = new Float64Array(inputSize);
  for (let at = 0, out = firstRow; at < rows.length; at += inputSize, out++) {
    for (let i = 0; i < inputSize; i++) row[i] = rows[at + i]!;
    for (let r = 0; r < rank; r++) {
      const factor = scale * b[out * rank + r]!;
      const from = r * inputSize;
      for (let i = 0; i < inputSize; i++) row[i]! += factor * a[from + i]!;
    }
    const gain = magnitude === undefined ? 1 : Math.fround(magnitude[out]! / measureLength(row));
    for (let i = 0; i < inputSize; i++) merged[at + i] = gain * row[i]!;
  }
  return merged;
}

function measureLength(row: Float64Array): number {
  let squares = 0;
  for (let i = 0; i < row.length; i++) squares += row[i]! * row[i]!;
  return Math.sqrt(squares);
}
