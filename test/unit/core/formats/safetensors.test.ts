import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  listSafetensorsFiles,
  openSafetensors,
  openSafetensorsFolder,
} from '../../../../src/core/formats/safetensors.ts';
import { TuneError } from '../../../../src/shared/errors.ts';
import { catchTuneError } from './catchTuneError.ts';
import { makeTemporaryFolder } from './temporaryFolder.ts';

const fixtures = join(import.meta.dirname, '../../../fixtures/formats');
const mixed = join(fixtures, 'mixed.safetensors');
const golden = JSON.parse(readFileSync(`${mixed}.json`, 'utf8')) as Record<
  string,
  { dtype: string; shape: number[]; bits: number[] }
>;
const folder = makeTemporaryFolder();

function toBits(values: Float32Array): number[] {
  return [...new Uint32Array(values.buffer, values.byteOffset, values.length)];
}

/** A file with this header; `data` zeros follow. */
function writeFile(header: string, dataBytes: number, name = 'hostile.safetensors'): string {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

describe('openSafetensors', () => {
  it('reads every tensor that the reference library wrote, bit for bit', () => {
    const { tensors, metadata } = openSafetensors(mixed);
    expect([...tensors.names].sort()).toEqual(Object.keys(golden).sort());
    for (const [name, expected] of Object.entries(golden)) {
      expect(tensors.info(name)).toMatchObject({ name, dtype: expected.dtype, shape: expected.shape });
      expect(toBits(tensors.readFloat32(name))).toEqual(expected.bits);
      expect(tensors.readBytes(name).byteLength).toBe(tensors.info(name).storedBytes);
    }
    expect([...metadata]).toEqual([['format', 'pt']]);
    tensors.close();
  });

  it('reads a range of rows', () => {
    const { tensors } = openSafetensors(mixed);
    const all = tensors.readFloat32('half');
    expect(tensors.readFloat32Rows('half', 3, 2)).toEqual(all.slice(15, 25));
    expect(tensors.readFloat32Rows('half', 8, 0)).toHaveLength(0);
    expect(() => tensors.readFloat32Rows('half', 7, 2)).toThrow(/internal: rows 7 to 9/);
    tensors.close();
  });

  it('lists a type that it cannot decode and says what to use instead', () => {
    const { tensors } = openSafetensors(join(fixtures, 'integers.safetensors'));
    expect(tensors.info('indices')).toMatchObject({ dtype: 'I64', shape: [4], storedBytes: 32 });
    const error = catchTuneError(() => tensors.readFloat32('indices'));
    expect(error).toMatchObject({ code: 'model-unsupported', file: join(fixtures, 'integers.safetensors') });
    expect(error.message).toContain('I64 in indices');
    expect(error.hint).toContain('BF16');
    tensors.close();
  });

  it('names the file, the missing tensor and tensors that are there', () => {
    const { tensors } = openSafetensors(mixed);
    const error = catchTuneError(() => tensors.readFloat32('lm_head.weight'));
    expect(error.code).toBe('model-invalid');
    expect(error.message).toContain(`${mixed}: expected a tensor named lm_head.weight, got 8 others`);
    tensors.close();
  });

  it('says that a missing file is missing', () => {
    expect(catchTuneError(() => openSafetensors(join(folder, 'none.safetensors'))).code).toBe('model-not-found');
  });

  it.each([
    [
      'data after the last tensor',
      '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
      8,
      /a file of 66 bytes, as its header says, got 70 bytes/,
    ],
    [
      'one name twice',
      '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
      8,
      /got "a" twice/,
    ],
    ['a hole', '{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', 8, /at byte 0, got a hole: 4/],
    [
      'an overlap',
      '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}',
      12,
      /at byte 8, got an overlap: 4/,
    ],
    [
      'a size that is not shape x dtype',
      '{"a":{"dtype":"F16","shape":[3],"data_offsets":[0,4]}}',
      4,
      /6 bytes.*\[0, 4\]/,
    ],
    ['reversed offsets', '{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}', 4, /4 bytes.*\[4, 0\]/],
    ['a negative size', '{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}', 4, /a shape of counts.*\[-1\]/],
    ['a fractional size', '{"a":{"dtype":"F32","shape":[0.5],"data_offsets":[0,2]}}', 2, /a shape of counts/],
    [
      'a size that overflows',
      '{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}',
      4,
      /a countable size/,
    ],
    ['an unknown type', '{"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}}', 4, /a known dtype.*"F33"/],
    ['no type', '{"a":{"shape":[1],"data_offsets":[0,4]}}', 4, /a known dtype.*nothing/],
    ['three offsets', '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}', 4, /two data_offsets/],
    ['metadata that is not text', '{"__metadata__":{"a":1}}', 0, /text for "a" in __metadata__, got 1/],
    ['a list instead of an object', '["a"]', 0, /starts with "\{", got byte 91/],
    ['an entry that is not an object', '{"a":4}', 0, /an object for "a" in the header, got 4/],
    ['text after the object', '{} x', 0, /the end of the text at character 3/],
    ['deep nesting', `{"a":${'['.repeat(5000)}`, 0, /levels of nesting/],
    [
      '17 dimensions',
      `{"a":{"dtype":"F32","shape":[${'1,'.repeat(16)}1],"data_offsets":[0,4]}}`,
      4,
      /at most 16 dimensions/,
    ],
  ])('refuses %s', (_what, header, dataBytes, message) => {
    const path = writeFile(header, dataBytes);
    const error = catchTuneError(() => openSafetensors(path));
    expect(error.code).toBe('model-invalid');
    expect(error.message).toMatch(message);
    expect(error.message).toContain(path);
    expect(error.hint).toBeTruthy();
  });

  it('refuses a file that ends within its header', () => {
    const path = writeFile('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 0);
    writeFileSync(path, readFileSync(path).subarray(0, 40));
    expect(catchTuneError(() => openSafetensors(path)).message).toMatch(/a header of 54 bytes, got a file of 40 bytes/);
  });

  it('refuses a header length beyond the limit before it reads or allocates it', () => {
    const path = join(folder, 'huge.safetensors');
    writeFileSync(path, new Uint8Array(16).fill(0xff));
    expect(catchTuneError(() => openSafetensors(path)).message).toMatch(/at most 33554432 bytes, got a length of 1844/);
  });

  it('takes names such as __proto__ and constructor as names', () => {
    const entry = (at: number) => `{"dtype":"F32","shape":[1],"data_offsets":[${at},${at + 4}]}`;
    const path = writeFile(`{"__proto__":${entry(0)},"constructor":${entry(4)}}`, 8);
    const { tensors } = openSafetensors(path);
    expect(tensors.names).toEqual(['__proto__', 'constructor']);
    expect(() => tensors.info('toString')).toThrow(TuneError);
    tensors.close();
  });

  it('turns every truncation and every mutation into a TuneError or a readable file', () => {
    const original = readFileSync(mixed);
    const path = join(folder, 'mutated.safetensors');
    const check = (bytes: Uint8Array) => {
      writeFileSync(path, bytes);
      try {
        const { tensors } = openSafetensors(path);
        for (const name of tensors.names) tensors.readBytes(name);
        tensors.close();
      } catch (error) {
        expect(error).toBeInstanceOf(TuneError);
        expect((error as TuneError).code).not.toBe('internal');
      }
    };
    for (let length = 0; length < original.length; length += 7) check(original.subarray(0, length));
    fc.assert(
      fc.property(fc.nat(900), fc.nat(255), (at, value) => {
        const bytes = Uint8Array.from(original);
        bytes[at] = value;
        check(bytes);
      }),
      { numRuns: 400, seed: 7 },
    );
  });
});

describe('openSafetensorsFolder', () => {
  const shard = (name: string, tensor: string) =>
    writeFile(`{"${tensor}":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4, name);
  const index = join(folder, 'model.safetensors.index.json');
  const writeIndex = (weightMap: unknown) =>
    writeFileSync(index, JSON.stringify({ metadata: {}, weight_map: weightMap }));

  it('reads one file, or the shards that the index lists', () => {
    copyFileSync(mixed, join(folder, 'model.safetensors'));
    expect(listSafetensorsFiles(folder)).toEqual([join(folder, 'model.safetensors')]);
    const single = openSafetensorsFolder(folder);
    expect(single.names).toHaveLength(8);
    single.close();

    shard('model-1.safetensors', 'a');
    shard('model-2.safetensors', 'b');
    writeIndex({ b: 'model-2.safetensors', a: 'model-1.safetensors' });
    const sharded = openSafetensorsFolder(folder);
    expect(sharded.names).toEqual(['b', 'a']);
    expect(sharded.readFloat32('a')).toEqual(new Float32Array(1));
    expect(listSafetensorsFiles(folder)).toEqual([
      join(folder, 'model-2.safetensors'),
      join(folder, 'model-1.safetensors'),
    ]);
    sharded.close();
    rmSync(index);
  });

  it.each([
    ['a shard outside the folder', { a: '../model-1.safetensors' }, /the name of a .safetensors file beside the index/],
    ['a pickle shard', { a: 'pytorch_model.bin' }, /the name of a .safetensors file/],
    ['a tensor that its shard lacks', { a: 'model-2.safetensors' }, /expected a tensor named a/],
    ['no weight map', undefined, /an object with "weight_map"/],
  ])('refuses an index with %s', (_what, weightMap, message) => {
    shard('model-2.safetensors', 'b');
    writeIndex(weightMap);
    const error = catchTuneError(() => openSafetensorsFolder(folder));
    expect(error.code).toBe('model-invalid');
    expect(error.message).toMatch(message);
  });
});
