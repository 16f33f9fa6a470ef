/** @file A TensorSource that is opened when it is first asked: who only needs a model's text never touches its weights. */
import type { RowRange, TensorInfo, TensorSource } from './tensorSource.ts';

export class LazyTensors implements TensorSource {
  private readonly open: () => TensorSource;
  private opened: TensorSource | undefined;

  constructor(open: () => TensorSource) {
    this.open = open;
  }

  get names(): readonly string[] {
    return this.source.names;
  }

  info(name: string): TensorInfo {
    return this.source.info(name);
  }

  readFloat32(name: string): Float32Array {
    return this.source.readFloat32(name);
  }

  readFloat32Rows(name: string, firstRow: number, rowCount: number): Float32Array {
    return this.source.readFloat32Rows(name, firstRow, rowCount);
  }

  readBytes(name: string, rows?: RowRange): Uint8Array {
    return this.source.readBytes(name, rows);
  }

  close(): void {
    this.opened?.close();
    this.opened = undefined;
  }

  private get source(): TensorSource {
    this.opened ??= this.open();
    return this.opened;
  }
}
