/** @file Named tensors wherever they are stored: the border between file formats and models. */

/** Reads weights by name. Reading is synchronous: it happens in engine processes only, on their compute thread. */
export interface TensorSource {
  readonly names: readonly string[];
  /** @throws TuneError `model-invalid` when there is no tensor of that name. */
  info(name: string): TensorInfo;
  /** The whole tensor, converted to float32 (F16, BF16 and every GGUF block type are decoded), row-major. */
  readFloat32(name: string): Float32Array;
  /**
   * `rowCount` rows from `firstRow`, converted to float32; a row is everything below the first dimension. For tensors
   * whose float32 form would be one allocation of 512 MB or more, such as large embeddings.
   */
  readFloat32Rows(name: string, firstRow: number, rowCount: number): Float32Array;
  /** The bytes as stored of all rows or of some, for engines that use blocks as they are. */
  readBytes(name: string, rows?: RowRange): Uint8Array;
  close(): void;
}

/** A row is everything below the first dimension. */
export interface RowRange {
  readonly first: number;
  readonly count: number;
}

export interface TensorInfo {
  readonly name: string;
  /** As named on disk: `F32`, `F16`, `BF16`, `Q4_K`... */
  readonly dtype: string;
  /** Row-major, outermost first (GGUF's reversed order is turned round by its reader). */
  readonly shape: readonly number[];
  readonly storedBytes: number;
}
