/**
 * @file The angles of rotary position embedding as tables of cosines and sines, with the scalings of Llama models.
 * Computed in float32 where Hugging Face's implementation does, so that long positions round alike.
 * @see https://github.com/huggingface/transformers/blob/main/src/transformers/modeling_rope_utils.py
 */

export type RopeScaling =
  | { readonly kind: 'none' }
  /** Positions divided by `factor`. */
  | { readonly kind: 'linear'; readonly factor: number }
  /** Long wavelengths divided by `factor`, short ones kept, those between interpolated (Llama 3.1). */
  | {
      readonly kind: 'llama3';
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      readonly originalContextTokens: number;
    };

export interface RopeSettings {
  readonly theta: number;
  readonly scaling: RopeScaling;
}

export interface RopeTables {
  /** [positions, D/2] */
  readonly cosines: Float32Array;
  readonly sines: Float32Array;
  readonly shape: readonly [positions: number, half: number];
}

export function makeRopeTables(settings: RopeSettings, headSize: number, positions: number): RopeTables {
  const half = headSize / 2;
  const frequencies = Array.from({ length: half }, (_, i) =>
    Math.fround(scaleFrequency(Math.fround(1 / settings.theta ** ((2 * i) / headSize)), settings.scaling)),
  );
  const cosines = new Float32Array(positions * half);
  const sines = new Float32Array(positions * half);
  for (let position = 0; position < positions; position++) {
    for (const [i, frequency] of frequencies.entries()) {
      const angle = Math.fround(position * frequency);
      cosines[position * half + i] = Math.cos(angle);
      sines[position * half + i] = Math.sin(angle);
    }
  }
  return { cosines, sines, shape: [positions, half] };
}

function scaleFrequency(frequency: number, scaling: RopeScaling): number {
  if (scaling.kind === 'none') return frequency;
  if (scaling.kind === 'linear') return frequency / scaling.factor;
  const { factor, lowFrequencyFactor, highFrequencyFactor, originalContextTokens } = scaling;
  const wavelength = (2 * Math.PI) / frequency;
  if (wavelength < originalContextTokens / highFrequencyFactor) return frequency;
  if (wavelength > originalContextTokens / lowFrequencyFactor) return frequency / factor;
  const smooth = (originalContextTokens / wavelength - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
  return ((1 - smooth) * frequency) / factor + smooth * frequency;
}
