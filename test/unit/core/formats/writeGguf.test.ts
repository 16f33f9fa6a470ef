import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openGguf } from '../../../../src/core/formats/gguf.ts';
import { serializeGguf } from '../../../../src/core/formats/writeGguf.ts';

const folder = mkdtempSync(join(tmpdir(), 'tuning-fork-gguf-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('serializeGguf', () => {
  it('writes what openGguf reads', () => {
    const floats = Float32Array.of(1, -2, 3.5);
    const blocks = Uint8Array.from({ length: 2 * 2 * 18 }, (_, index) => index);
    const tensors = [
      { name: 'norm', dtype: 'F32', shape: [3], readPieces: () => [new Uint8Array(floats.buffer)] },
      {
        name: 'matrix',
        dtype: 'Q4_0',
        shape: [2, 64],
        readPieces: () => [blocks.subarray(0, 18), blocks.subarray(18)],
      },
    ];
    const metadata = { 'general.architecture': 'llama', 'llama.block_count': 2, epsilon: { float: 0.5 }, flag: true };
    const path = join(folder, 'written.gguf');
    writeFileSync(path, Buffer.concat([...serializeGguf(tensors, metadata)]));
    const file = openGguf(path);
    expect(Object.fromEntries(file.metadata)).toEqual({ ...metadata, epsilon: 0.5 });
    expect(file.tensors.readFloat32('norm')).toEqual(floats);
    expect(file.tensors.info('matrix')).toMatchObject({ dtype: 'Q4_0', shape: [2, 64] });
    expect(file.tensors.readBytes('matrix')).toEqual(blocks);
    expect(file.tensors.readBytes('matrix', { first: 1, count: 1 })).toEqual(blocks.subarray(36));
    file.tensors.close();
  });

  it('refuses a tensor whose bytes are not those of its shape', () => {
    const tensors = [{ name: 'norm', dtype: 'F32', shape: [3], readPieces: () => [new Uint8Array(8)] }];
    expect(() => [...serializeGguf(tensors, {})]).toThrow('norm: expected 12 bytes, got 8');
  });
});
