/**
 * @file Numbers -> a permutation of 0..n-1 that is a pure function of them, so that a run resumed in the middle of an
 * epoch meets the same order without any saved state. Generator: sfc32 (PractRand), seeded by mixing the numbers with
 * splitmix32 and warmed up; shuffle: Fisher-Yates.
 */

/** A permutation of 0..count-1 for this seed and these further numbers (an epoch, a purpose). */
export function permute(count: number, ...seeds: readonly number[]): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  const next = createGenerator(seeds);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor((next() / 0x1_0000_0000) * (i + 1));
    const held = order[i]!;
    order[i] = order[j]!;
    order[j] = held;
  }
  return order;
}

/** Unsigned 32-bit numbers. Seeds may be any safe integers. */
export function createGenerator(seeds: readonly number[]): () => number {
  let mixed = 0x9e3779b9;
  const mix = (value: number): number => {
    mixed = (mixed + (value >>> 0) + 0x9e3779b9) | 0;
    let t = mixed ^ (mixed >>> 16);
    t = Math.imul(t, 0x21f0aaad);
    t ^= t >>> 15;
    t = Math.imul(t, 0x735a2d97);
    return (mixed = t ^ (t >>> 15));
  };
  for (const seed of seeds) {
    mix(seed);
    mix(Math.floor(seed / 0x1_0000_0000));
  }
  let [a, b, c, counter] = [mix(1), mix(2), mix(3), 1];
  const next = (): number => {
    const result = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + result) | 0;
    return result >>> 0;
  };
  for (let i = 0; i < 12; i++) next();
  return next;
}
