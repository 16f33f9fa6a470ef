import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openGguf } from '../../../../src/core/formats/gguf.ts';
import { countCodeBytes, packMatrix } from '../../../../src/core/formats/packedMatrix.ts';

const fixture = join(import.meta.dirname, '../../../fixtures/formats/types.gguf');

describe('packMatrix', () => {
  const file = openGguf(fixture);
  const byType = new Map(file.tensors.names.map(name => [file.tensors.info(name).dtype, name]));

  it.each(['Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0', 'Q4_K', 'Q5_K', 'Q6_K'])('keeps the values of %s', dtype => {
    const name = byType.get(dtype)!;
    const { form, codes, scales, offsets } = packMatrix(dtype, file.tensors.readBytes(name));
    const expected = file.tensors.readFloat32(name);
    expect(codes.length).toBe((expected.length / form.blockElements) * countCodeBytes(form));
    expect(offsets !== undefined).toBe(form.hasMinimum);
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    for (const [at, value] of expected.entries()) {
      const byte = codes[form.bits === 4 ? at >> 1 : at]!;
      const step = form.bits === 8 ? byte - 128 : ((byte >> (at % 2 === 0 ? 0 : 4)) & 15) - 8;
      const block = Math.floor(at / form.blockElements);
      const packed = step * scales[block]! + (offsets?.[block] ?? 0);
      expect(Math.abs(packed - value)).toBeLessThanOrEqual(2e-6 * largest);
    }
  });
});
