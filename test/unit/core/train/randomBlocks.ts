/** A GGUF file of random blocks under Hugging Face's names: any bytes are weights, once their scales are small. */
import { writeFileSync } from 'node:fs';
import { toFloat16Bits } from '../../../../src/core/formats/encodeFloats.ts';
import { serializeGguf } from '../../../../src/core/formats/writeGguf.ts';
import type { ParameterInfo } from '../../../../src/core/models/architecture.ts';
import type { Model } from '../../../../src/core/models/findArchitecture.ts';
import { seededNumbers } from '../graph/seededNumbers.ts';
import { listParameters } from '../models/tinyModel.ts';

/** Block elements, block bytes, and where in a block float16 scales stand, with their size. */
const layouts = {
  Q4_0: { elements: 32, bytes: 18, scales: [{ at: 0, size: 0.03 }] },
  Q4_1: {
    elements: 32,
    bytes: 20,
    scales: [
      { at: 0, size: 0.03 },
      { at: 2, size: 0.2 },
    ],
  },
  Q8_0: { elements: 32, bytes: 34, scales: [{ at: 0, size: 0.002 }] },
  Q4_K: {
    elements: 256,
    bytes: 144,
    scales: [
      { at: 0, size: 0.00006 },
      { at: 2, size: 0.0004 },
    ],
  },
  Q6_K: { elements: 256, bytes: 210, scales: [{ at: 208, size: 0.00001 }] },
} as const;

export type RandomDtype = keyof typeof layouts;

/** Matrices in blocks of the type that `choose` names, the rest in F32. */
export function writeRandomGguf(path: string, model: Model, choose: (info: ParameterInfo) => RandomDtype): void {
  const tensors = listParameters(model).map((info, index) => {
    const isMatrix = info.shape.length === 2;
    const count = info.shape.reduce((product, dim) => product * dim, 1);
    const readPieces = (): Uint8Array[] => {
      if (isMatrix) return [makeBlocks(choose(info), index * 31 + 17, count)];
      return [new Uint8Array(Float32Array.from(seededNumbers(index * 31 + 17, count, 0.8, 1.2)).buffer)];
    };
    return { name: info.name, dtype: isMatrix ? choose(info) : 'F32', shape: info.shape, readPieces };
  });
  writeFileSync(path, Buffer.concat([...serializeGguf(tensors, { 'general.architecture': 'llama' })]));
}

function makeBlocks(dtype: RandomDtype, seed: number, count: number): Uint8Array {
  const { elements, bytes, scales } = layouts[dtype];
  const blocks = count / elements;
  const stored = Uint8Array.from(seededNumbers(seed, blocks * bytes, 0, 256));
  const values = seededNumbers(seed + 1, blocks * scales.length);
  for (let block = 0; block < blocks; block++) {
    for (const [index, { at, size }] of scales.entries()) {
      const [bits] = toFloat16Bits(Float32Array.of(size * values[block * scales.length + index]!));
      stored[block * bytes + at] = bits! & 255;
      stored[block * bytes + at + 1] = bits! >> 8;
    }
  }
  return stored;
}
