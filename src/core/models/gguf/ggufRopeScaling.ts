/**
 * @file GGUF's rope scaling -> config.json's `rope_scaling`. Llama 3's scaling is stored not as its parameters but as one
 * divisor a frequency (rope_freqs.weight); the parameters are found again from these and checked against every one.
 * @see transformers/modeling_rope_utils.py (_compute_llama3_parameters), convert_hf_to_gguf.py (generate_extra_tensors)
 */
import { TuneError } from '../../../shared/errors.ts';
import type { GgufFile } from '../../formats/gguf.ts';
import type { JsonObject } from '../readJsonFile.ts';
import type { GgufMetadataReader } from './ggufMetadata.ts';

const factorsTensor = 'rope_freqs.weight';
/** Phi-3's divisors, a tensor for each kind of context. */
const longrope = { short_factor: 'rope_factors_short.weight', long_factor: 'rope_factors_long.weight' } as const;
/** What every released Llama 3 has; only the original context differs between conversions. */
const lowFrequencyFactor = 1;
const highFrequencyFactor = 4;
/** The divisors are float32 results of a few operations. */
const tolerance = 1e-4;

/** @returns null when the model scales nothing. @throws TuneError `model-unsupported` for divisors that are not Llama 3's */
export function readGgufRopeScaling(
  file: GgufFile,
  metadata: GgufMetadataReader,
  architecture: string,
  headDimensions: number,
): JsonObject | null {
  if (file.tensors.names.includes(factorsTensor)) {
    const theta = metadata.readNumber(`${architecture}.rope.freq_base`) ?? 10_000;
    return fitLlama3Scaling(file, file.tensors.readFloat32(factorsTensor), theta, headDimensions);
  }
  const key = (name: string): string => `${architecture}.rope.scaling.${name}`;
  const original = metadata.readCount(key('original_context_length'));
  if (file.tensors.names.includes(longrope.long_factor)) {
    const factors = Object.entries(longrope).map(([field, tensor]) => [field, [...file.tensors.readFloat32(tensor)]]);
    // The attention factor is the one that follows from the two contexts.
    return { rope_type: 'longrope', ...Object.fromEntries(factors), original_max_position_embeddings: original };
  }
  const type = metadata.readText(key('type')) ?? 'none';
  if (type === 'none') return null;
  const scaling = {
    rope_type: type,
    factor: metadata.readNumber(key('factor')),
    original_max_position_embeddings: original,
  };
  if (type !== 'yarn') return scaling;
  return {
    ...scaling,
    attention_factor: metadata.readNumber(key('yarn_attn_factor')),
    beta_fast: metadata.readNumber(key('yarn_beta_fast')),
    beta_slow: metadata.readNumber(key('yarn_beta_slow')),
  };
}

function fitLlama3Scaling(
  file: GgufFile,
  divisors: Float32Array,
  theta: number,
  headDimensions: number,
): JsonObject | null {
  const factor = divisors.at(-1) ?? 1;
  if (divisors.every(divisor => divisor === 1)) return null;
  const wavelengths = Array.from(divisors, (_, i) => 2 * Math.PI * theta ** ((2 * i) / headDimensions));
  const original = findOriginalContext(divisors, wavelengths, factor);
  if (original !== undefined) {
    const isFit = wavelengths.every((wavelength, i) => {
      const expected = computeLlama3Divisor(wavelength, factor, original);
      return Math.abs(expected - divisors[i]!) <= tolerance * expected;
    });
    if (isFit && divisors.length === headDimensions / 2) {
      return {
        rope_type: 'llama3',
        factor,
        low_freq_factor: lowFrequencyFactor,
        high_freq_factor: highFrequencyFactor,
        original_max_position_embeddings: original,
      };
    }
  }
  throw new TuneError(
    'model-unsupported',
    `${file.path}: expected Llama 3's rope scaling in ${factorsTensor}, got another`,
    {
      file: file.path,
      hint: 'Use the model from its Hugging Face folder instead of the GGUF file.',
    },
  );
}

/** Solves the divisor of one partly scaled frequency for the context, which is a whole number. */
function findOriginalContext(divisors: Float32Array, wavelengths: number[], factor: number): number | undefined {
  const middle = divisors.findIndex(divisor => divisor > 1 && divisor < factor);
  if (middle < 0) return undefined;
  const smooth = (1 / divisors[middle]! - 1 / factor) / (1 - 1 / factor);
  const context = (smooth * (highFrequencyFactor - lowFrequencyFactor) + lowFrequencyFactor) * wavelengths[middle]!;
  return Math.round(context);
}

function computeLlama3Divisor(wavelength: number, factor: number, original: number): number {
  if (wavelength < original / highFrequencyFactor) return 1;
  if (wavelength > original / lowFrequencyFactor) return factor;
  const smooth = (original / wavelength - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
  return 1 / ((1 - smooth) / factor + smooth);
}
