/** @file Tensors at known places of one file -> a TensorSource: what the safetensors and GGUF readers share. */
import { TuneError } from '../../shared/errors.ts';
import { type RandomAccessFile, readChunkBytes } from './randomAccessFile.ts';
import type { TensorCodec } from './tensorCodec.ts';
import type { RowRange, TensorInfo, TensorSource } from './tensorSource.ts';

export interface StoredTensor extends TensorInfo {
  /** From the start of the file. */
  readonly fileOffset: number;
  /** Undefined when this engine cannot decode the type; its bytes can still be read. */
  readonly codec: TensorCodec | undefined;
}

/** Reads tensors of one open file, which it owns. */
export class StoredTensors implements TensorSource {
  readonly names: readonly string[];
  private readonly file: RandomAccessFile;
  private readonly tensors: ReadonlyMap<string, StoredTensor>;

  constructor(file: RandomAccessFile, tensors: ReadonlyMap<string, StoredTensor>) {
    this.file = file;
    this.tensors = tensors;
    this.names = [...tensors.keys()];
  }

  info(name: string): TensorInfo {
    const { dtype, shape, storedBytes } = this.find(name);
    return { name, dtype, shape, storedBytes };
  }

  readFloat32(name: string): Float32Array {
    const tensor = this.find(name);
    return this.decode(tensor, 0, countElements(tensor.shape));
  }

  readFloat32Rows(name: string, firstRow: number, rowCount: number): Float32Array {
    const tensor = this.find(name);
    checkRows(tensor, { first: firstRow, count: rowCount });
    const rowElements = countElements(tensor.shape.slice(1));
    return this.decode(tensor, firstRow * rowElements, rowCount * rowElements);
  }

  readBytes(name: string, rows?: RowRange): Uint8Array {
    const tensor = this.find(name);
    if (!rows) return this.file.read(tensor.fileOffset, tensor.storedBytes);
    checkRows(tensor, rows);
    const rowBytes = tensor.storedBytes / (tensor.shape[0] ?? 1);
    return this.file.read(tensor.fileOffset + rows.first * rowBytes, rows.count * rowBytes);
  }

  close(): void {
    this.file.close();
  }

  private find(name: string): StoredTensor {
    const tensor = this.tensors.get(name);
    if (tensor) return tensor;
    throw toMissingTensorError(this.file.path, name, this.names);
  }

  /** Elements from `first` on; both bounds fall on block borders because rows do. */
  private decode(tensor: StoredTensor, first: number, count: number): Float32Array {
    const { codec } = tensor;
    if (!codec) {
      throw new TuneError(
        'model-unsupported',
        `${this.file.path}: expected a tensor that this engine can decode, got type ${tensor.dtype} in ${tensor.name}`,
        { file: this.file.path, hint: unsupportedTypeHint },
      );
    }
    const target = new Float32Array(count);
    const chunkBlocks = Math.floor(readChunkBytes / codec.blockBytes);
    const blocks = count / codec.blockElements;
    const scratch = new Uint8Array(Math.min(blocks, chunkBlocks) * codec.blockBytes);
    const start = tensor.fileOffset + (first / codec.blockElements) * codec.blockBytes;
    for (let block = 0; block < blocks; block += chunkBlocks) {
      const taken = Math.min(chunkBlocks, blocks - block);
      const stored = scratch.subarray(0, taken * codec.blockBytes);
      this.file.readInto(stored, start + block * codec.blockBytes);
      const from = block * codec.blockElements;
      codec.decode(stored, target.subarray(from, from + taken * codec.blockElements));
    }
    return target;
  }
}

function checkRows({ name, shape }: TensorInfo, { first, count }: RowRange): void {
  const rows = shape[0] ?? 1;
  if (first >= 0 && count >= 0 && first + count <= rows) return;
  throw new TuneError('internal', `internal: rows ${first} to ${first + count} of ${name}, which has ${rows}`);
}

export const unsupportedTypeHint =
  'Use a model in safetensors (F32, F16, BF16) or in GGUF with types F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K or Q6_K ' +
  '(files named Q4_K_M, Q5_K_M, Q6_K or Q8_0 hold only these).';

export function countElements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function toMissingTensorError(path: string, name: string, names: readonly string[]): TuneError {
  const some = names.slice(0, 3).join(', ');
  return new TuneError(
    'model-invalid',
    `${path}: expected a tensor named ${name}, got ${names.length} others${some ? ` (${some}...)` : ''}`,
    { file: path, hint: 'The file is incomplete or belongs to another architecture: download the model again.' },
  );
}
