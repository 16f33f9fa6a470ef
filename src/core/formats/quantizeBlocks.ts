/**
 * @file float32 -> the bytes of GGUF's Q4_0 and Q8_0, blocks of 32 with one float16 scale. Q8_0 as llama.cpp writes it; for
 * Q4_0 the scale is the best of a few in squared error, where llama.cpp takes the largest element's.
 * @see https://github.com/ggml-org/llama.cpp (ggml-quants.c)
 */
import { toFloat16Bits } from './encodeFloats.ts';
import { getFloat16Values } from './tensorCodec.ts';

export type QuantizedType = 'Q4_0' | 'Q8_0';

export const quantizedBlockElements = 32;

/** Bytes of one block of 32. */
export const quantizedBlockBytes = { Q4_0: 18, Q8_0: 34 } as const satisfies Record<QuantizedType, number>;

/** Which code the element of largest magnitude may get: the scale that is tried is that element over it. */
const largestCodes = [-8.75, -8.25, -7.75, -7.25];

/** The blocks of `values`, whose number is a multiple of 32. */
export function quantizeBlocks(values: Float32Array, type: QuantizedType): Uint8Array {
  const blocks = values.length / quantizedBlockElements;
  if (!Number.isInteger(blocks))
    throw new Error(`internal: blocks: expected whole blocks, got ${values.length} weights`);
  const wanted = new Float32Array(blocks);
  const findScale = type === 'Q4_0' ? findScale4 : findScale8;
  for (let block = 0; block < blocks; block++) wanted[block] = findScale(values, block * quantizedBlockElements);
  const scaleBits = toFloat16Bits(wanted);
  const float16 = getFloat16Values();
  const blockBytes = quantizedBlockBytes[type];
  const result = new Uint8Array(blocks * blockBytes);
  const encode = type === 'Q4_0' ? encode4 : encode8;
  for (let block = 0; block < blocks; block++) {
    const bits = scaleBits[block]!;
    const at = block * blockBytes;
    result[at] = bits & 255;
    result[at + 1] = bits >> 8;
    // llama.cpp divides by the scale before it is rounded to float16 in Q8_0.
    const scale = type === 'Q8_0' ? wanted[block]! : float16[bits]!;
    encode(values, block * quantizedBlockElements, scale === 0 ? 0 : 1 / scale, result, at + 2);
  }
  return result;
}

function findLargest(values: Float32Array, from: number): number {
  let largest = 0;
  for (let i = from; i < from + quantizedBlockElements; i++) {
    if (Math.abs(values[i]!) > Math.abs(largest)) largest = values[i]!;
  }
  return largest;
}

function findScale8(values: Float32Array, from: number): number {
  return Math.abs(findLargest(values, from)) / 127;
}

function findScale4(values: Float32Array, from: number): number {
  const largest = findLargest(values, from);
  if (largest === 0) return 0;
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (const code of largestCodes) {
    const scale = fitScale(values, from, largest / code);
    const error = sumErrors(values, from, scale);
    if (error < least) [least, best] = [error, scale];
  }
  return best;
}

/** The scale of least squares for the codes that `scale` gives. */
function fitScale(values: Float32Array, from: number, scale: number): number {
  let products = 0;
  let squares = 0;
  for (let i = from; i < from + quantizedBlockElements; i++) {
    const code = toCode4(values[i]! / scale);
    products += values[i]! * code;
    squares += code * code;
  }
  return squares === 0 ? scale : products / squares;
}

function sumErrors(values: Float32Array, from: number, scale: number): number {
  let sum = 0;
  for (let i = from; i < from + quantizedBlockElements; i++) {
    const error = values[i]! - scale * toCode4(values[i]! / scale);
    sum += error * error;
  }
  return sum;
}

function toCode4(scaled: number): number {
  return Math.max(-8, Math.min(7, Math.round(scaled)));
}

function encode4(values: Float32Array, from: number, inverse: number, target: Uint8Array, at: number): void {
  for (let i = 0; i < 16; i++) {
    const low = toCode4(values[from + i]! * inverse) + 8;
    const high = toCode4(values[from + 16 + i]! * inverse) + 8;
    target[at + i] = low | (high << 4);
  }
}

function encode8(values: Float32Array, from: number, inverse: number, target: Uint8Array, at: number): void {
  for (let i = 0; i < quantizedBlockElements; i++) target[at + i] = Math.round(values[from + i]! * inverse);
}
