/**
 * @file GGUF's blocks of 32 quantized weights -> float32, each operation rounded to float32 in the order in which the gguf
 * Python package performs it, so that the results are equal bit for bit. Scales are float16, little-endian.
 * @see https://github.com/ggml-org/llama.cpp (ggml-quants.c, gguf-py/gguf/quants.py)
 */
import { getFloat16Values, type TensorCodec } from './tensorCodec.ts';

const blockElements = 32;
const half = blockElements / 2;
const fround = Math.fround;

/** Scale, 16 bytes of nibbles: low ones first half, high ones second. value = d (q - 8) */
export const q4_0Codec: TensorCodec = {
  blockElements,
  blockBytes: 18,
  decode(stored, target) {
    const float16 = getFloat16Values();
    for (let at = 0, to = 0; at < stored.length; at += 18, to += blockElements) {
      const d = float16[stored[at]! | (stored[at + 1]! << 8)]!;
      for (let i = 0; i < half; i++) {
        const pair = stored[at + 2 + i]!;
        target[to + i] = d * ((pair & 15) - 8);
        target[to + half + i] = d * ((pair >> 4) - 8);
      }
    }
  },
};

/** Scale, minimum, nibbles. value = d q + m */
export const q4_1Codec: TensorCodec = {
  blockElements,
  blockBytes: 20,
  decode(stored, target) {
    const float16 = getFloat16Values();
    for (let at = 0, to = 0; at < stored.length; at += 20, to += blockElements) {
      const d = float16[stored[at]! | (stored[at + 1]! << 8)]!;
      const m = float16[stored[at + 2]! | (stored[at + 3]! << 8)]!;
      for (let i = 0; i < half; i++) {
        const pair = stored[at + 4 + i]!;
        target[to + i] = fround(d * (pair & 15)) + m;
        target[to + half + i] = fround(d * (pair >> 4)) + m;
      }
    }
  },
};

/** Scale, 32 fifth bits, nibbles. value = d (q - 16) */
export const q5_0Codec: TensorCodec = {
  blockElements,
  blockBytes: 22,
  decode(stored, target) {
    const float16 = getFloat16Values();
    for (let at = 0, to = 0; at < stored.length; at += 22, to += blockElements) {
      const d = float16[stored[at]! | (stored[at + 1]! << 8)]!;
      const fifthBits = readUint32(stored, at + 2);
      for (let i = 0; i < half; i++) {
        const pair = stored[at + 6 + i]!;
        target[to + i] = d * (((pair & 15) | (((fifthBits >>> i) & 1) << 4)) - 16);
        target[to + half + i] = d * (((pair >> 4) | (((fifthBits >>> (half + i)) & 1) << 4)) - 16);
      }
    }
  },
};

/** Scale, minimum, 32 fifth bits, nibbles. value = d q + m */
export const q5_1Codec: TensorCodec = {
  blockElements,
  blockBytes: 24,
  decode(stored, target) {
    const float16 = getFloat16Values();
    for (let at = 0, to = 0; at < stored.length; at += 24, to += blockElements) {
      const d = float16[stored[at]! | (stored[at + 1]! << 8)]!;
      const m = float16[stored[at + 2]! | (stored[at + 3]! << 8)]!;
      const fifthBits = readUint32(stored, at + 4);
      for (let i = 0; i < half; i++) {
        const pair = stored[at + 8 + i]!;
        target[to + i] = fround(d * ((pair & 15) | (((fifthBits >>> i) & 1) << 4))) + m;
        target[to + half + i] = fround(d * ((pair >> 4) | (((fifthBits >>> (half + i)) & 1) << 4))) + m;
      }
    }
  },
};

/** Scale, 32 signed bytes. value = d q */
export const q8_0Codec: TensorCodec = {
  blockElements,
  blockBytes: 34,
  decode(stored, target) {
    const float16 = getFloat16Values();
    for (let at = 0, to = 0; at < stored.length; at += 34, to += blockElements) {
      const d = float16[stored[at]! | (stored[at + 1]! << 8)]!;
      for (let i = 0; i < blockElements; i++) target[to + i] = d * ((stored[at + 2 + i]! << 24) >> 24);
    }
  },
};

function readUint32(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
