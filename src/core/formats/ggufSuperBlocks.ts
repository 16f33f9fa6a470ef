/**
 * @file GGUF's K-quants, super-blocks of 256 weights with quantized scales -> float32, bit for bit as the gguf Python package.
 * @see https://github.com/ggml-org/llama.cpp (ggml-quants.c, gguf-py/gguf/quants.py)
 */
import { getFloat16Values, type TensorCodec } from './tensorCodec.ts';

const blockElements = 256;
const fround = Math.fround;

/** d, dmin, eight 6-bit scales and minima in 12 bytes, 128 bytes of nibbles. value = (d scale) q - (dmin minimum) */
export const q4KCodec: TensorCodec = {
  blockElements,
  blockBytes: 144,
  decode(stored, target) {
    const scales = new Float32Array(8);
    const minima = new Float32Array(8);
    for (let at = 0, to = 0; at < stored.length; at += 144, to += blockElements) {
      readScales(stored, at, scales, minima);
      for (let group = 0; group < 8; group++) {
        const nibbles = at + 16 + (group >> 1) * 32;
        const shift = (group & 1) * 4;
        for (let i = 0; i < 32; i++) {
          const q = (stored[nibbles + i]! >> shift) & 15;
          target[to + group * 32 + i] = fround(scales[group]! * q) - minima[group]!;
        }
      }
    }
  },
};

/** As Q4_K with 32 bytes of fifth bits, bit g of each for group g. value = (d scale) q - (dmin minimum) */
export const q5KCodec: TensorCodec = {
  blockElements,
  blockBytes: 176,
  decode(stored, target) {
    const scales = new Float32Array(8);
    const minima = new Float32Array(8);
    for (let at = 0, to = 0; at < stored.length; at += 176, to += blockElements) {
      readScales(stored, at, scales, minima);
      for (let group = 0; group < 8; group++) {
        const nibbles = at + 48 + (group >> 1) * 32;
        const shift = (group & 1) * 4;
        for (let i = 0; i < 32; i++) {
          const fifthBit = (stored[at + 16 + i]! >> group) & 1;
          const q = ((stored[nibbles + i]! >> shift) & 15) | (fifthBit << 4);
          target[to + group * 32 + i] = fround(scales[group]! * q) - minima[group]!;
        }
      }
    }
  },
};

/** 128 bytes of nibbles, 64 of bit pairs, 16 signed scales, d. value = (d scale) (q - 32), one scale for 16 weights */
export const q6KCodec: TensorCodec = {
  blockElements,
  blockBytes: 210,
  decode(stored, target) {
    const float16 = getFloat16Values();
    for (let at = 0, to = 0; at < stored.length; at += 210, to += blockElements) {
      const d = float16[stored[at + 208]! | (stored[at + 209]! << 8)]!;
      for (let group = 0; group < 8; group++) {
        const side = group >> 2;
        const quarter = group & 3;
        const nibbles = at + side * 64 + (quarter & 1) * 32;
        const shift = (quarter >> 1) * 4;
        const pairs = at + 128 + side * 32;
        for (let i = 0; i < 32; i++) {
          const scale = (stored[at + 192 + group * 2 + (i >> 4)]! << 24) >> 24;
          const high = (stored[pairs + i]! >> (quarter * 2)) & 3;
          const q = (((stored[nibbles + i]! >> shift) & 15) | (high << 4)) - 32;
          target[to + group * 32 + i] = fround(d * scale) * q;
        }
      }
    }
  },
};

/** The scales and minima of the eight groups, multiplied by d and dmin: 6 bits each, the upper four split over two bytes. */
function readScales(stored: Uint8Array, at: number, scales: Float32Array, minima: Float32Array): void {
  const float16 = getFloat16Values();
  const d = float16[stored[at]! | (stored[at + 1]! << 8)]!;
  const dmin = float16[stored[at + 2]! | (stored[at + 3]! << 8)]!;
  for (let i = 0; i < 4; i++) {
    const scaleByte = stored[at + 4 + i]!;
    const minimumByte = stored[at + 8 + i]!;
    const mixedByte = stored[at + 12 + i]!;
    scales[i] = d * (scaleByte & 63);
    minima[i] = dmin * (minimumByte & 63);
    scales[i + 4] = d * ((mixedByte & 15) | ((scaleByte >> 2) & 48));
    minima[i + 4] = dmin * ((mixedByte >> 4) | ((minimumByte >> 2) & 48));
  }
}
