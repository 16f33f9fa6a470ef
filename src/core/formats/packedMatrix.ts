/**
 * @file Quantized blocks -> a matrix as ONNX Runtime's product with packed weights (MatMulNBits) takes it. Codes stay what
 * they are; only their order changes. value = scale x (code - middle) + offset, where the middle of 4 bits is 8, of 8 bits
 * 128, and the offset is the block's minimum with middle x scale added.
 */
import { getFloat16Values } from './tensorCodec.ts';
import { type BlockForm, unpackBlocks, type WeightBlocks } from './weightBlocks.ts';

export interface PackedMatrix {
  readonly form: PackedForm;
  /** [out, in / block, bytes of a block]; of 4 bits the first of two neighbours in the low nibble. */
  readonly codes: Uint8Array;
  /** [out, in / block] */
  readonly scales: Float32Array;
  /** [out, in / block]; absent where blocks are symmetric. */
  readonly offsets: Float32Array | undefined;
}

export type PackedForm = Pick<BlockForm, 'bits' | 'blockElements' | 'hasMinimum'>;

/** Bytes of one block's codes. */
export function countCodeBytes({ bits, blockElements }: PackedForm): number {
  return (blockElements * bits) / 8;
}

/** `stored` holds whole blocks of a type that `findBlockForm` knows. */
export function packMatrix(dtype: string, stored: Uint8Array): PackedMatrix {
  const blocks = unpackBlocks(dtype, stored);
  const { form, minimums } = blocks;
  const scales = toFloats(blocks.scales);
  const codes = form.bits === 4 ? packPairs(blocks) : toUnsigned(blocks.codes);
  return { form, codes, scales, offsets: minimums && makeOffsets(toFloats(minimums), scales, form) };
}

/** Halves of a block in low and high nibbles -> neighbours in low and high nibbles. */
function packPairs({ codes, form }: WeightBlocks): Uint8Array {
  const half = form.blockElements / 2;
  const packed = new Uint8Array(codes.length);
  for (let at = 0; at < codes.length; at += half) {
    for (let i = 0; i < half; i += 2) {
      const [first, second] = [codes[at + i]!, codes[at + i + 1]!];
      packed[at + i / 2] = (first & 15) | ((second & 15) << 4);
      packed[at + (half + i) / 2] = ((first >> 4) & 15) | (second & 0xf0);
    }
  }
  return packed;
}

function toUnsigned(codes: Uint8Array | Int8Array): Uint8Array {
  const packed = new Uint8Array(codes.length);
  for (let i = 0; i < codes.length; i++) packed[i] = codes[i]! + 128;
  return packed;
}

/** Codes of 8 bits count from -128 once unsigned, so that their minimum needs nothing added. */
function makeOffsets(minimums: Float32Array, scales: Float32Array, { bits }: BlockForm): Float32Array {
  const middle = bits === 4 ? 8 : 0;
  return minimums.map((minimum, block) => minimum + middle * scales[block]!);
}

function toFloats(values: Uint16Array | Float32Array): Float32Array {
  if (values instanceof Float32Array) return values;
  const float16 = getFloat16Values();
  return Float32Array.from(values, bits => float16[bits]!);
}
