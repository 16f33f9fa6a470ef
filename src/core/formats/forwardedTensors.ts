/** @file Tensors of several sources under one: each is read where a subclass finds it. */
import type { RowRange, TensorInfo, TensorSource } from './tensorSource.ts';

export abstract class ForwardedTensors implements TensorSource {
  abstract readonly names: readonly string[];

  /** The source that holds a tensor. @throws TuneError `model-invalid` when there is none */
  protected abstract find(name: string): TensorSource;

  abstract close(): void;

  info(name: string): TensorInfo {
    return this.find(name).info(name);
  }

  readFloat32(name: string): Float32Array {
    return this.find(name).readFloat32(name);
  }

  readFloat32Rows(name: string, firstRow: number, rowCount: number): Float32Array {
    return this.find(name).readFloat32Rows(name, firstRow, rowCount);
  }

  readBytes(name: string, rows?: RowRange): Uint8Array {
    return this.find(name).readBytes(name, rows);
  }
}
