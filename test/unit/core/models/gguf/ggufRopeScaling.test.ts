import { describe, expect, it } from 'vitest';
import type { GgufFile } from '../../../../../src/core/formats/gguf.ts';
import type { GgufValue } from '../../../../../src/core/formats/ggufCursor.ts';
import { GgufMetadataReader } from '../../../../../src/core/models/gguf/ggufMetadata.ts';
import { readGgufRopeScaling } from '../../../../../src/core/models/gguf/ggufRopeScaling.ts';
import { catchTuneError } from '../../formats/catchTuneError.ts';

function makeFile(metadata: Record<string, GgufValue>, divisors?: Float32Array): GgufFile {
  return {
    path: 'llama.gguf',
    version: 3,
    valueRanges: new Map(),
    metadata: new Map(Object.entries(metadata)),
    tensors: {
      names: divisors ? ['rope_freqs.weight'] : [],
      info: name => ({ name, dtype: 'F32', shape: [divisors?.length ?? 0], storedBytes: 0 }),
      readFloat32: () => divisors ?? new Float32Array(),
      readFloat32Rows: () => new Float32Array(),
      readBytes: () => new Uint8Array(),
      close: () => undefined,
    },
  };
}

function read(file: GgufFile, headDimensions = 128) {
  return readGgufRopeScaling(file, new GgufMetadataReader(file), 'llama', headDimensions);
}

/** What llama.cpp's converter writes, from the parameters in config.json. */
function makeDivisors(headDimensions: number, theta: number, factor: number, original: number): Float32Array {
  return Float32Array.from({ length: headDimensions / 2 }, (_, i) => {
    const wavelength = 2 * Math.PI * theta ** ((2 * i) / headDimensions);
    if (wavelength < original / 4) return 1;
    if (wavelength > original) return factor;
    const smooth = (original / wavelength - 1) / 3;
    return 1 / ((1 - smooth) / factor + smooth);
  });
}

describe('readGgufRopeScaling', () => {
  it.each([
    [128, 8, 8192],
    [64, 32, 8192],
    [64, 8, 4096],
  ])('finds Llama 3’s parameters again: head %i, factor %i, context %i', (headDimensions, factor, original) => {
    const divisors = makeDivisors(headDimensions, 500_000, factor, original);
    expect(read(makeFile({ 'llama.rope.freq_base': 500_000 }, divisors), headDimensions)).toEqual({
      rope_type: 'llama3',
      factor,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: original,
    });
  });

  it('refuses divisors that follow another rule', () => {
    const divisors = makeDivisors(128, 500_000, 8, 8192);
    divisors[50] = 3;
    const error = catchTuneError(() => read(makeFile({ 'llama.rope.freq_base': 500_000 }, divisors)));
    expect(error).toMatchObject({ code: 'model-unsupported', file: 'llama.gguf' });
  });

  it('takes divisors of one, and no word of scaling, as none', () => {
    expect(read(makeFile({}, new Float32Array(64).fill(1)))).toBeNull();
    expect(read(makeFile({}))).toBeNull();
    expect(read(makeFile({ 'llama.rope.scaling.type': 'none' }))).toBeNull();
  });

  it('hands linear and other scalings on by name', () => {
    expect(read(makeFile({ 'llama.rope.scaling.type': 'linear', 'llama.rope.scaling.factor': 4 }))).toEqual({
      rope_type: 'linear',
      factor: 4,
      original_max_position_embeddings: undefined,
    });
  });
});
