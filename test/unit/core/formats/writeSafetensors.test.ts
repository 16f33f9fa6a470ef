import * as fs from 'node:fs';
import { existsSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFloats, type FloatDtype } from '../../../../src/core/formats/encodeFloats.ts';
import { openSafetensors } from '../../../../src/core/formats/safetensors.ts';
import { type StagedFileSystem, writeStagedFile } from '../../../../src/core/formats/stagedFile.ts';
import {
  serializeSafetensors,
  type TensorToWrite,
  writeSafetensors,
} from '../../../../src/core/formats/writeSafetensors.ts';
import { catchTuneError } from './catchTuneError.ts';
import { makeTemporaryFolder } from './temporaryFolder.ts';

const mixed = join(import.meta.dirname, '../../../fixtures/formats/mixed.safetensors');
const folder = makeTemporaryFolder();

function toTensor(name: string, dtype: FloatDtype, shape: number[], values: Float32Array): TensorToWrite {
  return { name, dtype, shape, readPieces: () => [encodeFloats(values, dtype)] };
}

describe('writeSafetensors', () => {
  it('writes the bytes that the reference library writes', () => {
    const { tensors, metadata } = openSafetensors(mixed);
    const path = join(folder, 'copy.safetensors');
    writeSafetensors(
      path,
      [...tensors.names].reverse().map(name => {
        const { dtype, shape } = tensors.info(name);
        return toTensor(name, dtype as FloatDtype, [...shape], tensors.readFloat32(name));
      }),
      Object.fromEntries(metadata),
    );
    tensors.close();
    expect(readFileSync(path).equals(readFileSync(mixed))).toBe(true);
    expect(readdirSync(folder)).toEqual(['copy.safetensors']);
  });

  it('gives back what was written, whatever the names, shapes and values', () => {
    const path = join(folder, 'random.safetensors');
    const tensor = fc.record({
      rows: fc.nat(5),
      columns: fc.nat(5),
      seed: fc.float({ noNaN: true }),
    });
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: 'grapheme' }), tensor, { maxKeys: 6 }),
        fc.string(),
        (entries, note) => {
          const written = Object.entries(entries).map(([name, { rows, columns, seed }]) => {
            const values = new Float32Array(rows * columns).map((_, i) => seed * (i + 1));
            return { name, shape: [rows, columns], values };
          });
          writeSafetensors(
            path,
            written.map(t => toTensor(t.name, 'F32', t.shape, t.values)),
            { note },
          );
          const { tensors, metadata } = openSafetensors(path);
          expect([...tensors.names].sort()).toEqual(written.map(t => t.name).sort());
          expect(metadata.get('note')).toBe(note);
          for (const { name, shape, values } of written) {
            expect(tensors.info(name).shape).toEqual(shape);
            expect(tensors.readFloat32(name)).toEqual(values);
          }
          tensors.close();
        },
      ),
      { numRuns: 60, seed: 11 },
    );
  });

  it('refuses a tensor whose bytes do not fit its shape, and leaves nothing', () => {
    const path = join(folder, 'wrong.safetensors');
    expect(() => writeSafetensors(path, [toTensor('a', 'F32', [3], new Float32Array(2))])).toThrow(
      /internal: a has 8 bytes where its shape needs 12/,
    );
    expect(readdirSync(folder).filter(name => name.startsWith('wrong'))).toEqual([]);
  });

  it('refuses two tensors of one name', () => {
    const twice = [toTensor('a', 'F32', [1], new Float32Array(1)), toTensor('a', 'F32', [1], new Float32Array(1))];
    expect(() => [...serializeSafetensors(twice)]).toThrow(/two tensors are named a/);
  });
});

describe('writeStagedFile', () => {
  const path = join(folder, 'target.bin');
  const failing = (code: string, call: keyof StagedFileSystem): StagedFileSystem => ({
    ...fs,
    writeSync,
    [call]: () => {
      throw Object.assign(new Error(code), { code });
    },
  });

  it.each([
    ['ENOSPC', 'writeSync', 'disk-full'],
    ['EDQUOT', 'fsyncSync', 'disk-full'],
    ['EACCES', 'openSync', 'not-writable'],
    ['EROFS', 'renameSync', 'not-writable'],
  ] as const)('on %s in %s keeps the old file, leaves no other and says %s', (code, call, expected) => {
    writeFileSync(path, 'old');
    const error = catchTuneError(() => writeStagedFile(path, [new Uint8Array(3)], failing(code, call)));
    expect(error).toMatchObject({ code: expected, file: path });
    expect(error.message).toContain(code);
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(folder).filter(name => name.startsWith('target'))).toEqual(['target.bin']);
  });

  it('continues after a short write', () => {
    const short: StagedFileSystem = { ...fs, writeSync: (fd, bytes, at) => writeSync(fd, bytes, at, 1) };
    writeStagedFile(path, [Uint8Array.from([1, 2, 3]), Uint8Array.from([4])], short);
    expect([...readFileSync(path)]).toEqual([1, 2, 3, 4]);
  });

  it('says that a folder which does not exist cannot be written', () => {
    const missing = join(folder, 'missing', 'target.bin');
    expect(catchTuneError(() => writeStagedFile(missing, [])).code).toBe('not-writable');
    expect(existsSync(missing)).toBe(false);
  });

  it('says that a folder in the file’s place cannot be replaced', () => {
    fs.mkdirSync(join(folder, 'occupied', 'inner'), { recursive: true });
    expect(catchTuneError(() => writeStagedFile(join(folder, 'occupied'), [new Uint8Array(1)])).code).toBe(
      'not-writable',
    );
    expect(readdirSync(folder).filter(name => name.endsWith('.tmp'))).toEqual([]);
  });
});
