/** @file Weights whose norms are stored 1 larger -> the same with the norms as Hugging Face stores them (Gemma in GGUF). */
import { encodeFloats } from '../../formats/encodeFloats.ts';
import type { TensorInfo, TensorSource } from '../../formats/tensorSource.ts';

/** `source` with 1 taken off its norms, which are float32 from then on. Owns `source`. */
export function takeOneOffNorms(source: TensorSource): TensorSource {
  const isNorm = (name: string): boolean => name.endsWith('norm.weight');
  const readNorm = (name: string): Float32Array => source.readFloat32(name).map(value => value - 1);
  return {
    names: source.names,
    info(name): TensorInfo {
      const info = source.info(name);
      if (!isNorm(name)) return info;
      return { ...info, dtype: 'F32', storedBytes: 4 * info.shape.reduce((product, dim) => product * dim, 1) };
    },
    readFloat32: name => (isNorm(name) ? readNorm(name) : source.readFloat32(name)),
    readFloat32Rows: (name, firstRow, rowCount) =>
      isNorm(name)
        ? readNorm(name).subarray(firstRow, firstRow + rowCount)
        : source.readFloat32Rows(name, firstRow, rowCount),
    readBytes(name, rows) {
      if (!isNorm(name)) return source.readBytes(name, rows);
      const bytes = encodeFloats(readNorm(name), 'F32');
      return rows ? bytes.subarray(4 * rows.first, 4 * (rows.first + rows.count)) : bytes;
    },
    close: () => source.close(),
  };
}
