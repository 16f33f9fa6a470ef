/** @file Pairs of unequal ranks and scales -> the settings of a LoRA adapter in which PEFT finds each as it is. */
import type { LoraPair } from './readAdapter.ts';

export interface PairSettings {
  readonly rank: number;
  readonly alpha: number;
  /** Where a module differs, by its whole name. */
  readonly rankPattern: Readonly<Record<string, number>>;
  readonly alphaPattern: Readonly<Record<string, number>>;
  readonly targetModules: readonly string[];
}

/** Modules are named whole, since not every block need have the same. */
export function describePairs(pairs: readonly LoraPair[]): PairSettings {
  const { rank } = pairs[0]!;
  const alpha = pairs[0]!.scale * rank;
  const rankPattern: Record<string, number> = {};
  const alphaPattern: Record<string, number> = {};
  for (const pair of pairs) {
    if (pair.rank !== rank) rankPattern[pair.module] = pair.rank;
    if (pair.scale * pair.rank !== alpha) alphaPattern[pair.module] = pair.scale * pair.rank;
  }
  return { rank, alpha, rankPattern, alphaPattern, targetModules: pairs.map(({ module }) => module) };
}
