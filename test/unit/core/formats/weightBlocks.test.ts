import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openGguf } from '../../../../src/core/formats/gguf.ts';
import {
  countBlockBytes,
  decodeBlocks,
  findBlockForm,
  unpackBlocks,
} from '../../../../src/core/formats/weightBlocks.ts';

const fixture = join(import.meta.dirname, '../../../fixtures/formats/types.gguf');
const quantized = ['Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0', 'Q4_K', 'Q5_K', 'Q6_K'];

describe('unpackBlocks', () => {
  const file = openGguf(fixture);
  const byType = new Map(file.tensors.names.map(name => [file.tensors.info(name).dtype, name]));

  it.each(quantized)('keeps every value of %s, bit for bit', dtype => {
    const name = byType.get(dtype)!;
    const blocks = unpackBlocks(dtype, file.tensors.readBytes(name));
    const expected = file.tensors.readFloat32(name);
    const decoded = new Float32Array(expected.length);
    decodeBlocks(blocks, 0, decoded);
    // A zero may lose its sign: scale x 0 is added to a minimum of another sign.
    expect(decoded.map(value => value + 0)).toEqual(expected.map(value => value + 0));
  });

  it.each(quantized)('takes the memory that is counted for %s', dtype => {
    const name = byType.get(dtype)!;
    const { codes, scales, minimums, form } = unpackBlocks(dtype, file.tensors.readBytes(name));
    const elements = file.tensors.info(name).shape.reduce((product, dim) => product * dim, 1);
    const bytes = codes.byteLength + scales.byteLength + (minimums?.byteLength ?? 0);
    expect(bytes).toBe(countBlockBytes(form, elements));
  });

  it('uses the bytes of Q4_0 as they are in the file', () => {
    const stored = file.tensors.readBytes(byType.get('Q4_0')!);
    const { codes } = unpackBlocks('Q4_0', stored);
    for (let block = 0; block * 18 < stored.length; block++) {
      expect(codes.subarray(block * 16, block * 16 + 16)).toEqual(stored.subarray(block * 18 + 2, block * 18 + 18));
    }
  });

  it('knows no form of plain floats', () => {
    for (const dtype of ['F32', 'F16', 'BF16']) expect(findBlockForm(dtype)).toBeUndefined();
  });
});
