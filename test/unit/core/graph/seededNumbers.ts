/** Numbers that look random and are the same in every run. */
export function seededNumbers(seed: number, count: number, from = -1, to = 1): number[] {
  let state = seed >>> 0 || 1;
  return Array.from({ length: count }, () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return from + (state / 2 ** 32) * (to - from);
  });
}
