import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openGguf } from '../../../../src/core/formats/gguf.ts';
import { openSafetensors } from '../../../../src/core/formats/safetensors.ts';
import { TuneError } from '../../../../src/shared/errors.ts';
import { catchTuneError } from './catchTuneError.ts';
import { GgufBytes } from './ggufBytes.ts';
import { makeTemporaryFolder } from './temporaryFolder.ts';

const fixtures = join(import.meta.dirname, '../../../fixtures/formats');
const types = join(fixtures, 'types.gguf');
const folder = makeTemporaryFolder();

function toBits(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

function open(bytes: Uint8Array) {
  const path = join(folder, 'hostile.gguf');
  writeFileSync(path, bytes);
  return openGguf(path);
}

describe('openGguf', () => {
  it.each(['F32', 'F16', 'BF16', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0', 'Q4_K', 'Q5_K', 'Q6_K'])(
    'decodes %s bit for bit as the gguf package does',
    dtype => {
      const golden = openSafetensors(join(fixtures, 'types.golden.safetensors')).tensors;
      const { tensors } = openGguf(types);
      const name = `tensor.${dtype}`;
      expect(tensors.info(name)).toMatchObject({ dtype, shape: [3, 512] });
      const expected = golden.readFloat32(name);
      expect(toBits(tensors.readFloat32(name))).toEqual(toBits(expected));
      expect(tensors.readFloat32Rows(name, 1, 2)).toEqual(expected.subarray(512));
      expect(tensors.readBytes(name)).toHaveLength(tensors.info(name).storedBytes);
      tensors.close();
      golden.close();
    },
  );

  it('turns the order of dimensions round', () => {
    const { tensors } = openGguf(types);
    expect(tensors.info('tensor.cube').shape).toEqual([2, 3, 4]);
    expect([...tensors.readFloat32Rows('tensor.cube', 1, 1)]).toEqual([12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]);
    tensors.close();
  });

  it('reads metadata of every type', () => {
    const { metadata, tensors, version } = openGguf(types);
    tensors.close();
    expect(version).toBe(3);
    const read = Object.fromEntries([...metadata].filter(([key]) => key.startsWith('test.')));
    expect(read).toEqual({
      'test.u8': 200,
      'test.i8': -100,
      'test.u16': 60_000,
      'test.i16': -30_000,
      'test.u32': 4_000_000_000,
      'test.i32': -2_000_000_000,
      'test.f32': Math.fround(1e-5),
      'test.bool': true,
      'test.string': 'grün \u2603 \u{1f600}',
      'test.u64': 2n ** 53n + 1n,
      'test.i64': -5,
      'test.f64': 0.1,
      'test.strings': ['a', '', 'ü'],
      'test.ints': Int32Array.of(1, -2, 3),
      'test.floats': Float32Array.of(0.5, -1.5),
      'test.bools': [true, false],
    });
  });

  it('lists a type that it cannot decode, and names type, tensor and remedy when it is read', () => {
    const { tensors } = openGguf(types);
    expect(tensors.info('tensor.IQ4_XS')).toMatchObject({ dtype: 'IQ4_XS', storedBytes: 136 });
    const error = catchTuneError(() => tensors.readFloat32('tensor.IQ4_XS'));
    expect(error.code).toBe('model-unsupported');
    expect(error.message).toContain('IQ4_XS in tensor.IQ4_XS');
    expect(error.hint).toContain('Q4_K_M');
    tensors.close();
  });

  it('reads what it wrote itself: version 2, alignment, numbers and strings of any kind', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: 'grapheme' }), fc.oneof(fc.string({ unit: 'grapheme' }), fc.nat()), {
          maxKeys: 5,
        }),
        fc.constantFrom(1, 8, 32, 64),
        (entries, alignment) => {
          const bytes = new GgufBytes(2);
          const keys = Object.keys(entries).filter(key => key !== 'general.alignment');
          bytes.counts(1, keys.length + 1);
          bytes.key('general.alignment', 4).uint32(alignment);
          for (const key of keys) {
            const value = entries[key]!;
            if (typeof value === 'string') bytes.key(key, 8).string(value);
            else bytes.key(key, 4).uint32(value);
          }
          bytes.tensor('t', [2], 0, 0).pad(alignment).uint32(0x3f800000).uint32(0xbf800000);
          const { metadata, tensors, version } = open(bytes.finish());
          expect(version).toBe(2);
          for (const key of keys) expect(metadata.get(key)).toBe(entries[key]);
          expect([...tensors.readFloat32('t')]).toEqual([1, -1]);
          tensors.close();
        },
      ),
      { numRuns: 100, seed: 13 },
    );
  });

  const start = () => new GgufBytes(3);
  it.each<[string, GgufBytes, string, RegExp]>([
    ['another file', new GgufBytes(3, 0x04034b50), 'model-invalid', /starts with "GGUF", got 0x04034b50/],
    ['version 1', new GgufBytes(1), 'model-unsupported', /version 2 or 3, got 1/],
    ['a big-endian file', new GgufBytes(0x03000000), 'model-unsupported', /a big-endian file/],
    [
      'more tensors than fit',
      start().counts(1e9, 0),
      'model-invalid',
      /a tensor count that fits the 8 bytes left, got 1000000000/,
    ],
    [
      'more metadata than fits',
      start().counts(0, 1e9),
      'model-invalid',
      /a metadata count.*0 bytes left, got 1000000000/,
    ],
    [
      'a count beyond 2^53',
      start()
        .uint64(2n ** 60n)
        .uint64(0n),
      'model-invalid',
      /got 1152921504606846976/,
    ],
    [
      'a key longer than the file',
      start().counts(0, 1).uint64(10_000n).pad(64),
      'model-invalid',
      /a length of a metadata key.*10000/,
    ],
    [
      'an array longer than the file',
      start().counts(0, 1).key('a', 9).uint32(4).uint64(5n).pad(32),
      'model-invalid',
      /a count of values for "a".*got 5/,
    ],
    ['an array of an unknown type', start().counts(0, 1).key('a', 9).uint32(77).uint64(0n), 'model-invalid', /got 77/],
    [
      'an unknown value type',
      start().counts(0, 1).key('a', 13),
      'model-invalid',
      /value type from 0 to 12 for "a", got 13/,
    ],
    ['nested arrays without end', start().counts(0, 1).key('a', 9).nest(40), 'model-invalid', /at most 3 nested lists/],
    ['one key twice', start().counts(0, 2).key('a', 0).bytes(1).key('a', 0).bytes(1), 'model-invalid', /"a" twice/],
    [
      'one tensor twice',
      start().counts(2, 0).tensor('a', [1], 0, 0).tensor('a', [1], 0, 32),
      'model-invalid',
      /"a" twice/,
    ],
    [
      'five dimensions',
      start().counts(1, 0).tensor('a', [1, 1, 1, 1, 1], 0, 0),
      'model-invalid',
      /at most 4 dimensions.*got 5/,
    ],
    ['an unknown tensor type', start().counts(1, 0).tensor('a', [1], 99, 0), 'model-unsupported', /got 99 in a/],
    [
      'a size that overflows',
      start()
        .counts(1, 0)
        .tensor('a', [2 ** 50, 2 ** 50], 0, 0),
      'model-invalid',
      /a countable size/,
    ],
    [
      'a broken row',
      start().counts(1, 0).tensor('a', [33], 8, 0).pad(256),
      'model-invalid',
      /whole blocks of 32.*33 weights/,
    ],
    [
      'data beyond the file',
      start().counts(1, 0).tensor('a', [64], 0, 0).pad(32),
      'model-invalid',
      /at least \d+ bytes, the end of "a", got a file of \d+ bytes/,
    ],
    [
      'an overlap',
      start().counts(2, 0).tensor('a', [16], 0, 0).tensor('b', [16], 0, 32).pad(512),
      'model-invalid',
      /an overlap/,
    ],
    [
      'a strange alignment',
      start().counts(0, 1).key('general.alignment', 4).uint32(7),
      'model-invalid',
      /power of two up to 65536, got 7/,
    ],
    ['a key that is not UTF-8', start().counts(0, 1).uint64(2n).bytes(0xff, 0xfe).uint32(0), 'model-invalid', /UTF-8/],
    ['a bool of 3', start().counts(0, 1).key('a', 7).bytes(3), 'model-invalid', /0 or 1 for "a", got 3/],
  ])('refuses %s', (_what, bytes, code, message) => {
    const error = catchTuneError(() => open(bytes.finish()));
    expect(error.message).toMatch(message);
    expect(error.message).toContain(join(folder, 'hostile.gguf'));
    expect(error.code).toBe(code);
    expect(error.hint).toBeTruthy();
  });

  it('refuses a list of millions of small values before it fills memory', () => {
    const head = start().counts(0, 1).key('a', 9).uint32(7).uint64(5_000_000n).finish();
    const bytes = new Uint8Array(head.length + 5_000_000);
    bytes.set(head);
    expect(catchTuneError(() => open(bytes)).message).toMatch(/at most 4194304 values for "a", got 5000000/);
  });

  it('says where a cut file ends', () => {
    const path = join(folder, 'cut.gguf');
    copyFileSync(types, path);
    const bytes = readFileSync(types);
    writeFileSync(path, bytes.subarray(0, bytes.length - 100));
    const error = catchTuneError(() => openGguf(path));
    expect(error).toMatchObject({ code: 'model-invalid', file: path });
    expect(error.message).toContain(`${bytes.length - 100} bytes`);
  });

  it('turns every truncation and every mutation of the head into a TuneError or a readable file', () => {
    const original = readFileSync(types);
    const check = (bytes: Uint8Array) => {
      try {
        const { tensors } = open(bytes);
        for (const name of tensors.names) tensors.readBytes(name);
        tensors.close();
      } catch (error) {
        expect(error).toBeInstanceOf(TuneError);
        expect((error as TuneError).code).not.toBe('internal');
      }
    };
    for (let length = 0; length < 2200; length += 11) check(original.subarray(0, length));
    fc.assert(
      fc.property(fc.nat(1800), fc.nat(255), (at, value) => {
        const bytes = Uint8Array.from(original);
        bytes[at] = value;
        check(bytes);
      }),
      { numRuns: 500, seed: 17 },
    );
  });
});
