/**
 * @file GGUF's quantized blocks -> three arrays that a graph can read: codes, scales and minimums. Nothing is rounded:
 * value = scale x code + minimum is the reference's value bit for bit. Types of 4 bit keep 4 bit; types of 5, 6 and 8 bit
 * have codes of 8 bit, and super-blocks have their scales multiplied out (Q4_K takes 6 bits a weight, Q6_K 10).
 */
import { getFloat16Values } from './tensorCodec.ts';

export interface BlockForm {
  /** 4: two codes a byte, the first half of a block in the low nibbles, the second in the high ones. 8: signed bytes. */
  readonly bits: 4 | 8;
  /** Neighbours along the input that share a scale. */
  readonly blockElements: 16 | 32;
  readonly scaleType: 'float16' | 'float32';
  /** With a minimum codes count from 0; without one codes of 4 bit count from -8, stored as code + 8. */
  readonly hasMinimum: boolean;
}

/** The blocks of a matrix [out, in], row by row. float16 as bits. */
export interface WeightBlocks {
  readonly form: BlockForm;
  readonly codes: Uint8Array | Int8Array;
  readonly scales: Uint16Array | Float32Array;
  readonly minimums: Uint16Array | Float32Array | undefined;
}

interface StoredType {
  readonly form: BlockForm;
  readonly storedElements: number;
  readonly storedBytes: number;
  /** Writes one stored block, which begins at byte `at`, as the blocks from number `block` on. */
  unpack(stored: Uint8Array, at: number, target: WeightBlocks, block: number): void;
}

const small = { blockElements: 32, scaleType: 'float16' } as const;
const wide = { blockElements: 32, scaleType: 'float32', hasMinimum: true } as const;

const storedTypes: ReadonlyMap<string, StoredType> = new Map<string, StoredType>([
  ['Q4_0', { form: { ...small, bits: 4, hasMinimum: false }, storedElements: 32, storedBytes: 18, unpack: unpackQ4 }],
  ['Q4_1', { form: { ...small, bits: 4, hasMinimum: true }, storedElements: 32, storedBytes: 20, unpack: unpackQ4 }],
  ['Q5_0', { form: { ...small, bits: 8, hasMinimum: false }, storedElements: 32, storedBytes: 22, unpack: unpackQ5 }],
  ['Q5_1', { form: { ...small, bits: 8, hasMinimum: true }, storedElements: 32, storedBytes: 24, unpack: unpackQ5 }],
  ['Q8_0', { form: { ...small, bits: 8, hasMinimum: false }, storedElements: 32, storedBytes: 34, unpack: unpackQ8 }],
  ['Q4_K', { form: { ...wide, bits: 4 }, storedElements: 256, storedBytes: 144, unpack: unpackQ4K }],
  ['Q5_K', { form: { ...wide, bits: 8 }, storedElements: 256, storedBytes: 176, unpack: unpackQ5K }],
  [
    'Q6_K',
    {
      form: { bits: 8, blockElements: 16, scaleType: 'float32', hasMinimum: false },
      storedElements: 256,
      storedBytes: 210,
      unpack: unpackQ6K,
    },
  ],
]);

/** How blocks of a type on disk lie in memory; undefined for plain floats. */
export function findBlockForm(dtype: string): BlockForm | undefined {
  return storedTypes.get(dtype)?.form;
}

/** Bytes of a weight in that form, scales and minimums included. */
export function countBlockBytes({ bits, blockElements, scaleType, hasMinimum }: BlockForm, elements: number): number {
  const scaleBytes = (scaleType === 'float16' ? 2 : 4) * (hasMinimum ? 2 : 1);
  return (elements * bits) / 8 + (elements / blockElements) * scaleBytes;
}

/** `stored` holds whole blocks of type `dtype`, one that `findBlockForm` knows. */
export function unpackBlocks(dtype: string, stored: Uint8Array): WeightBlocks {
  const type = storedTypes.get(dtype);
  if (!type) throw new Error(`internal: blocks: expected a quantized type, got ${dtype}`);
  const { form, storedElements, storedBytes } = type;
  const count = stored.byteLength / storedBytes;
  const elements = count * storedElements;
  const blocks = elements / form.blockElements;
  const makeScales = () => (form.scaleType === 'float16' ? new Uint16Array(blocks) : new Float32Array(blocks));
  const target: WeightBlocks = {
    form,
    codes: form.bits === 4 ? new Uint8Array(elements / 2) : new Int8Array(elements),
    scales: makeScales(),
    minimums: form.hasMinimum ? makeScales() : undefined,
  };
  const step = storedElements / form.blockElements;
  for (let index = 0; index < count; index++) type.unpack(stored, index * storedBytes, target, index * step);
  return target;
}

/** The values of `rowElements` weights from block `firstBlock` on, written into `target`. */
export function decodeBlocks(blocks: WeightBlocks, firstBlock: number, target: Float32Array): void {
  const { bits, blockElements, hasMinimum } = blocks.form;
  const scaleAt = readScale(blocks.scales);
  const minimumAt = blocks.minimums && readScale(blocks.minimums);
  const offset = bits === 4 && !hasMinimum ? 8 : 0;
  const half = blockElements / 2;
  for (let to = 0, block = firstBlock; to < target.length; to += blockElements, block++) {
    const scale = scaleAt(block);
    const minimum = minimumAt?.(block) ?? 0;
    if (bits === 8) {
      const from = block * blockElements;
      for (let i = 0; i < blockElements; i++) target[to + i] = Math.fround(scale * blocks.codes[from + i]!) + minimum;
    } else {
      for (let i = 0; i < half; i++) {
        const pair = blocks.codes[block * half + i]!;
        target[to + i] = Math.fround(scale * ((pair & 15) - offset)) + minimum;
        target[to + half + i] = Math.fround(scale * ((pair >> 4) - offset)) + minimum;
      }
    }
  }
}

function readScale(scales: Uint16Array | Float32Array): (block: number) => number {
  if (scales instanceof Float32Array) return block => scales[block]!;
  const float16 = getFloat16Values();
  return block => float16[scales[block]!]!;
}

function readUint16(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}

/** Scale and minimum, if there is one, then 16 bytes of nibbles in the order that is kept. */
function unpackQ4(stored: Uint8Array, at: number, { codes, scales, minimums }: WeightBlocks, block: number): void {
  scales[block] = readUint16(stored, at);
  if (minimums) minimums[block] = readUint16(stored, at + 2);
  const nibbles = at + (minimums ? 4 : 2);
  for (let i = 0; i < 16; i++) codes[block * 16 + i] = stored[nibbles + i]!;
}

function unpackQ5(stored: Uint8Array, at: number, { codes, scales, minimums }: WeightBlocks, block: number): void {
  scales[block] = readUint16(stored, at);
  if (minimums) minimums[block] = readUint16(stored, at + 2);
  const fifthBits = at + (minimums ? 4 : 2);
  const offset = minimums ? 0 : 16;
  for (let i = 0; i < 32; i++) {
    const fifth = (stored[fifthBits + (i >> 3)]! >> (i & 7)) & 1;
    const nibble = (stored[fifthBits + 4 + (i & 15)]! >> (i < 16 ? 0 : 4)) & 15;
    codes[block * 32 + i] = (nibble | (fifth << 4)) - offset;
  }
}

function unpackQ8(stored: Uint8Array, at: number, { codes, scales }: WeightBlocks, block: number): void {
  scales[block] = readUint16(stored, at);
  for (let i = 0; i < 32; i++) codes[block * 32 + i] = stored[at + 2 + i]!;
}

/** Pairs of groups share 32 bytes, one in the low nibbles, one in the high ones. */
function unpackQ4K(stored: Uint8Array, at: number, target: WeightBlocks, block: number): void {
  unpackGroupScales(stored, at, target, block);
  for (let group = 0; group < 8; group++) {
    const nibbles = at + 16 + (group >> 1) * 32;
    const shift = (group & 1) * 4;
    for (let i = 0; i < 16; i++) {
      const low = (stored[nibbles + i]! >> shift) & 15;
      const high = (stored[nibbles + 16 + i]! >> shift) & 15;
      target.codes[(block + group) * 16 + i] = low | (high << 4);
    }
  }
}

function unpackQ5K(stored: Uint8Array, at: number, target: WeightBlocks, block: number): void {
  unpackGroupScales(stored, at, target, block);
  for (let group = 0; group < 8; group++) {
    const nibbles = at + 48 + (group >> 1) * 32;
    const shift = (group & 1) * 4;
    for (let i = 0; i < 32; i++) {
      const fifth = (stored[at + 16 + i]! >> group) & 1;
      target.codes[(block + group) * 32 + i] = ((stored[nibbles + i]! >> shift) & 15) | (fifth << 4);
    }
  }
}

function unpackQ6K(stored: Uint8Array, at: number, { codes, scales }: WeightBlocks, block: number): void {
  const d = getFloat16Values()[readUint16(stored, at + 208)]!;
  for (let i = 0; i < 16; i++) scales[block + i] = d * ((stored[at + 192 + i]! << 24) >> 24);
  for (let group = 0; group < 8; group++) {
    const side = group >> 2;
    const quarter = group & 3;
    const nibbles = at + side * 64 + (quarter & 1) * 32;
    const shift = (quarter >> 1) * 4;
    for (let i = 0; i < 32; i++) {
      const high = (stored[at + 128 + side * 32 + i]! >> (quarter * 2)) & 3;
      codes[block * 16 + group * 32 + i] = (((stored[nibbles + i]! >> shift) & 15) | (high << 4)) - 32;
    }
  }
}

/** Eight scales and minimums of 6 bits, times d and dmin, the minimums turned round since they are subtracted. */
function unpackGroupScales(stored: Uint8Array, at: number, { scales, minimums }: WeightBlocks, block: number): void {
  const float16 = getFloat16Values();
  const d = float16[readUint16(stored, at)]!;
  const dmin = float16[readUint16(stored, at + 2)]!;
  for (let i = 0; i < 4; i++) {
    const scaleByte = stored[at + 4 + i]!;
    const minimumByte = stored[at + 8 + i]!;
    const mixedByte = stored[at + 12 + i]!;
    scales[block + i] = d * (scaleByte & 63);
    minimums![block + i] = -dmin * (minimumByte & 63);
    scales[block + i + 4] = d * ((mixedByte & 15) | ((scaleByte >> 2) & 48));
    minimums![block + i + 4] = -dmin * ((mixedByte >> 4) | ((minimumByte >> 2) & 48));
  }
}
