/** @file How the elements of a tensor are stored, block by block, and how they become float32: plain floating-point types. */

/** Decodes whole blocks. Plain types are blocks of one element. */
export interface TensorCodec {
  readonly blockElements: number;
  readonly blockBytes: number;
  /** `stored` holds whole blocks and starts on a multiple of 8 bytes of its buffer; `target` has room for exactly their elements. */
  decode(stored: Uint8Array, target: Float32Array): void;
}

const float32Codec: TensorCodec = {
  blockElements: 1,
  blockBytes: 4,
  decode(stored, target) {
    new Uint8Array(target.buffer, target.byteOffset, target.byteLength).set(stored);
  },
};

const float16Codec: TensorCodec = {
  blockElements: 1,
  blockBytes: 2,
  decode(stored, target) {
    const bits = new Uint16Array(stored.buffer, stored.byteOffset, target.length);
    const values = getFloat16Values();
    for (let i = 0; i < target.length; i++) target[i] = values[bits[i]!]!;
  },
};

const bfloat16Codec: TensorCodec = {
  blockElements: 1,
  blockBytes: 2,
  decode(stored, target) {
    const bits = new Uint16Array(stored.buffer, stored.byteOffset, target.length);
    const targetBits = new Uint32Array(target.buffer, target.byteOffset, target.length);
    for (let i = 0; i < target.length; i++) targetBits[i] = bits[i]! << 16;
  },
};

/** The floating-point types that safetensors and GGUF share, by their name on disk. */
export const floatCodecs: ReadonlyMap<string, TensorCodec> = new Map([
  ['F32', float32Codec],
  ['F16', float16Codec],
  ['BF16', bfloat16Codec],
]);

let float16Values: Float32Array | undefined;

/** The value of each of the 65,536 float16 bit patterns. */
export function getFloat16Values(): Float32Array {
  if (float16Values) return float16Values;
  const bits = new Uint32Array(65_536);
  for (let half = 0; half < 65_536; half++) bits[half] = widenFloat16Bits(half);
  float16Values = new Float32Array(bits.buffer);
  return float16Values;
}

function widenFloat16Bits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  let mantissa = half & 0x3ff;
  if (exponent === 31) return sign | 0x7f800000 | (mantissa << 13);
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (mantissa << 13);
  if (mantissa === 0) return sign;
  // Subnormal in float16, normal in float32: shift the leading one out.
  let shifted = 113;
  while ((mantissa & 0x400) === 0) {
    mantissa <<= 1;
    shifted--;
  }
  return sign | (shifted << 23) | ((mantissa & 0x3ff) << 13);
}
