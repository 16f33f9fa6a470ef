/** @file Sequences -> how often each run of n elements occurs, and how many two sequences share. */

/** White space as Python's str.split() takes it, but for four separators among the control characters. */
export const whiteSpace = /(?:[^\S\uFEFF]|\x85)+/u;

/** Elements may not hold the joint. */
export function countGrams(elements: readonly string[], length: number, joint: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i + length <= elements.length; i++) {
    const gram = elements.slice(i, i + length).join(joint);
    counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  return counts;
}

/** Each gram counts as often as it occurs in both. */
export function countShared(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number {
  let shared = 0;
  for (const [gram, count] of a) shared += Math.min(count, b.get(gram) ?? 0);
  return shared;
}
