/**
 * @file The angles of rotary position embedding as tables of cosines and sines, with every scaling that the models here
 * use. Computed in float32 where Hugging Face's implementation does, so that long positions round alike.
 * @see https://github.com/huggingface/transformers/blob/main/src/transformers/modeling_rope_utils.py
 */
import { type RopeScaling, type ScaledFrequencies, scaleFrequencies } from './ropeScaling.ts';

export interface RopeSettings {
  readonly theta: number;
  /** Elements of a head that are turned, an even number: the first ones; the rest stays as it is. */
  readonly size: number;
  readonly scaling: RopeScaling;
}

export interface RopeTables {
  /** [positions, size/2] */
  readonly cosines: Float32Array;
  readonly sines: Float32Array;
  readonly shape: readonly [positions: number, half: number];
}

/**
 * The tables of positions 0 to `positions` - 1.
 * @param positions also the length of the context, by which dynamic and longrope scaling choose their frequencies
 */
export function makeRopeTables(settings: RopeSettings, positions: number): RopeTables {
  const half = settings.size / 2;
  const { frequencies, factor }: ScaledFrequencies = scaleFrequencies(settings, positions);
  const cosines = new Float32Array(positions * half);
  const sines = new Float32Array(positions * half);
  for (let position = 0; position < positions; position++) {
    for (const [i, frequency] of frequencies.entries()) {
      const angle = Math.fround(position * frequency);
      cosines[position * half + i] = Math.fround(Math.cos(angle)) * factor;
      sines[position * half + i] = Math.fround(Math.sin(angle)) * factor;
    }
  }
  return { cosines, sines, shape: [positions, half] };
}
