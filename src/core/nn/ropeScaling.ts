/**
 * @file How rotary frequencies are stretched for contexts longer than those of pre-training, as transformers does it.
 * @see https://github.com/huggingface/transformers/blob/main/src/transformers/modeling_rope_utils.py
 */

export type RopeScaling =
  | { readonly kind: 'none' }
  /** Positions divided by `factor`. */
  | { readonly kind: 'linear'; readonly factor: number }
  /** A larger base for contexts beyond the trained one, as it is up to there (NTK-aware). */
  | { readonly kind: 'dynamic'; readonly factor: number; readonly trainedContextTokens: number }
  /** Long wavelengths divided by `factor`, short ones kept, those between interpolated (Llama 3.1). */
  | {
      readonly kind: 'llama3';
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      readonly originalContextTokens: number;
    }
  /** Interpolated by how often a frequency turns within the original context. @see https://arxiv.org/abs/2309.00071 */
  | {
      readonly kind: 'yarn';
      readonly factor: number;
      /** Turns from which on a frequency is kept, and up to which it is divided. */
      readonly betaFast: number;
      readonly betaSlow: number;
      readonly originalContextTokens: number;
      /** The range between the two starts and ends at whole frequencies. */
      readonly truncates: boolean;
      readonly attentionFactor: number;
    }
  /** A divisor a frequency, searched for by the model's makers. @see https://arxiv.org/abs/2402.13753 */
  | {
      readonly kind: 'longrope';
      readonly shortFactors: readonly number[];
      /** For contexts longer than the original one. */
      readonly longFactors: readonly number[];
      readonly originalContextTokens: number;
      readonly attentionFactor: number;
    };

export interface ScaledFrequencies {
  /** Radians a position, float32. */
  readonly frequencies: readonly number[];
  /** What cosines and sines are multiplied by. */
  readonly factor: number;
}

const { fround } = Math;

/** The frequencies of a head whose first `size` elements are turned, for a context of that many tokens. */
export function scaleFrequencies(
  { theta, size, scaling }: { readonly theta: number; readonly size: number; readonly scaling: RopeScaling },
  contextTokens: number,
): ScaledFrequencies {
  const exponents = Array.from({ length: size / 2 }, (_, i) => fround((2 * i) / size));
  const powers = (base: number): number[] => exponents.map(exponent => fround(base ** exponent));
  const invert = (divisors: readonly number[]): number[] => divisors.map(divisor => fround(1 / divisor));
  const plain = (frequencies: readonly number[]): ScaledFrequencies => ({ frequencies, factor: 1 });
  switch (scaling.kind) {
    case 'none':
      return plain(invert(powers(theta)));
    case 'linear':
      return plain(invert(powers(theta)).map(frequency => fround(frequency / scaling.factor)));
    case 'dynamic': {
      const { factor, trainedContextTokens } = scaling;
      if (contextTokens <= trainedContextTokens) return plain(invert(powers(theta)));
      const stretch = fround(fround(fround(factor * contextTokens) / trainedContextTokens) - (factor - 1));
      return plain(invert(powers(fround(theta * fround(stretch ** (size / (size - 2)))))));
    }
    case 'llama3':
      return plain(invert(powers(theta)).map(frequency => fround(scaleAsLlama3(frequency, scaling))));
    case 'yarn': {
      const divisors = powers(theta);
      const ramp = makeRamp(theta, size, scaling);
      const frequencies = divisors.map((divisor, i) => {
        const kept = fround(1 - ramp[i]!);
        const interpolated = fround(1 / fround(scaling.factor * divisor));
        return fround(fround(interpolated * fround(1 - kept)) + fround(fround(1 / divisor) * kept));
      });
      return { frequencies, factor: scaling.attentionFactor };
    }
    case 'longrope': {
      const isLong = contextTokens > scaling.originalContextTokens;
      const factors = isLong ? scaling.longFactors : scaling.shortFactors;
      const divisors = powers(theta).map((power, i) => fround(fround(factors[i]!) * power));
      return { frequencies: invert(divisors), factor: scaling.attentionFactor };
    }
  }
}

function scaleAsLlama3(frequency: number, scaling: Extract<RopeScaling, { kind: 'llama3' }>): number {
  const { factor, lowFrequencyFactor, highFrequencyFactor, originalContextTokens } = scaling;
  const wavelength = (2 * Math.PI) / frequency;
  if (wavelength < originalContextTokens / highFrequencyFactor) return frequency;
  if (wavelength > originalContextTokens / lowFrequencyFactor) return frequency / factor;
  const smooth = (originalContextTokens / wavelength - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
  return ((1 - smooth) * frequency) / factor + smooth * frequency;
}

/** 0 for frequencies that are kept, 1 for those that are divided, a line between the two. */
function makeRamp(theta: number, size: number, scaling: Extract<RopeScaling, { kind: 'yarn' }>): number[] {
  const { betaFast, betaSlow, originalContextTokens, truncates } = scaling;
  const findDimension = (turns: number): number =>
    (size * Math.log(originalContextTokens / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const [first, last] = [findDimension(betaFast), findDimension(betaSlow)];
  const low = Math.max(truncates ? Math.floor(first) : first, 0);
  const high = Math.min(truncates ? Math.ceil(last) : last, size - 1);
  const width = low === high ? 0.001 : high - low;
  return Array.from({ length: size / 2 }, (_, i) =>
    Math.min(1, Math.max(0, fround(fround(i - fround(low)) / fround(width)))),
  );
}

/**
 * The longest context in which all positions are turned alike however long it gets: longrope turns them otherwise from its
 * original context on, and what is cached until then could not be continued.
 */
export function steadyContextTokens(scaling: RopeScaling, maxContextTokens: number): number {
  return scaling.kind === 'longrope' ? Math.min(maxContextTokens, scaling.originalContextTokens) : maxContextTokens;
}

/** The attention factor that YaRN's authors recommend. */
export function yarnAttentionFactor(factor: number, magnitude = 1): number {
  return factor <= 1 ? 1 : 0.1 * magnitude * Math.log(factor) + 1;
}

/** The attention factor that LongRoPE's authors recommend. */
export function longropeAttentionFactor(factor: number, originalContextTokens: number): number {
  return factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalContextTokens));
}
