/** @file float32 values -> the bytes of F32, F16 and BF16, rounded to nearest, ties to even. */

export type FloatDtype = 'F32' | 'F16' | 'BF16';

/** The little-endian bytes of `values` in `dtype`. F32 is a view of `values`, not a copy. */
export function encodeFloats(values: Float32Array, dtype: FloatDtype): Uint8Array {
  if (dtype === 'F32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return new Uint8Array(narrowFloats(values, dtype === 'F16' ? narrowToFloat16 : narrowToBfloat16).buffer);
}

/** The bits of `values` as float16. */
export function toFloat16Bits(values: Float32Array): Uint16Array {
  return narrowFloats(values, narrowToFloat16);
}

function narrowFloats(values: Float32Array, narrow: (bits: number) => number): Uint16Array<ArrayBuffer> {
  // A copy of the bits keeps this free of alignment rules: views of float32 are always aligned.
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const result = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) result[i] = narrow(bits[i]!);
  return result;
}

function narrowToBfloat16(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return ((bits >>> 16) | 0x40) & 0xffff;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

function narrowToFloat16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff);
  // 65,520 and above round to infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  // 2^-25 and below round to zero.
  if (magnitude <= 0x33000000) return sign;
  // Subnormal: the mantissa with its leading one, shifted to units of 2^-24.
  const shift = 126 - (magnitude >>> 23);
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  const quotient = mantissa >>> shift;
  const remainder = mantissa & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  const roundsUp = remainder > half || (remainder === half && (quotient & 1) === 1);
  return sign | (quotient + (roundsUp ? 1 : 0));
}
