/**
 * @file Starting values of LoRA matrices, distributed as PEFT's: A uniform in +-1/sqrt(in) (Kaiming with a = sqrt(5)), B
 * zero, so that a fresh adapter changes nothing. A pure function of seed and name: the order of making does not matter.
 * @see https://github.com/huggingface/peft/blob/main/src/peft/tuners/lora/layer.py
 */
import { createHash } from 'node:crypto';

interface AdapterTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly kind: string;
}

/** The start values of an adapter's tensor; undefined for those that start at zero, or at what the base model gives. */
export function initializeAdapter(
  seed: number,
  { name, shape, kind }: AdapterTensor,
  adaptsRank: boolean,
): Float32Array | undefined {
  const [rows = 0, columns = 0] = shape;
  if (adaptsRank && (kind === 'loraA' || kind === 'loraB')) return initializeTriplets(seed, name, rows * columns);
  return kind === 'loraA' ? initializeLoraA(seed, name, rows, columns) : undefined;
}

/** A matrix of [rank, in] in row-major order. */
export function initializeLoraA(seed: number, name: string, rank: number, inner: number): Float32Array {
  const next = makeUniform(`${seed}|${name}`);
  const bound = 1 / Math.sqrt(inner);
  return Float32Array.from({ length: rank * inner }, () => (2 * next() - 1) * bound);
}

/** AdaLoRA's A and B: normal with standard deviation 0.02, by Box and Muller. */
export function initializeTriplets(seed: number, name: string, count: number): Float32Array {
  const next = makeUniform(`${seed}|${name}`);
  return Float32Array.from({ length: count }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - next()));
    return 0.02 * radius * Math.cos(2 * Math.PI * next());
  });
}

/** Numbers in [0, 1) from xoshiro128**, started by a hash of the text. @see https://prng.di.unimi.it/xoshiro128starstar.c */
function makeUniform(text: string): () => number {
  const hash = createHash('sha256').update(text).digest();
  const state = new Uint32Array([0, 4, 8, 12].map(offset => hash.readUInt32LE(offset)));
  const rotate = (x: number, bits: number): number => ((x << bits) | (x >>> (32 - bits))) >>> 0;
  return () => {
    const [s0, s1, s2, s3] = state as unknown as [number, number, number, number];
    const result = Math.imul(rotate(Math.imul(s1, 5) >>> 0, 7), 9) >>> 0;
    const mixed2 = s2 ^ s0;
    const mixed3 = s3 ^ s1;
    state[0] = s0 ^ mixed3;
    state[1] = s1 ^ mixed2;
    state[2] = mixed2 ^ (s1 << 9);
    state[3] = rotate(mixed3 >>> 0, 11);
    return result / 2 ** 32;
  };
}
