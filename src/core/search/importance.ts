/**
 * @file Complete trials -> how much each setting decided whether a trial was among the best. PED-ANOVA (Watanabe et al.
 * 2023): the Pearson divergence between a setting's density among the best and among all, shares of 1. Differs from
 * Optuna's: the best quarter rather than tenth, which few trials would make a single one, on a grid of 16 places.
 */
import type { Distribution } from '../../shared/searchRecord.ts';
import { fromLine, lineOf } from './distributions.ts';
import { createParzenEstimator } from './parzenEstimator.ts';
import type { SpaceEntry } from './samplers.ts';
import { type Direction, signed, type Trial } from './trial.ts';

const gridPlaces = 16;
const targetShare = 0.25;
/** With fewer nothing can be said. */
export const fewestTrials = 4;

/** Shares that add up to 1, the most important first; empty while too few trials are complete. */
export function measureImportance(
  space: readonly SpaceEntry[],
  trials: readonly Trial[],
  direction: Direction,
): { name: string; share: number }[] {
  const complete = trials
    .filter(({ state, value }) => state === 'complete' && value !== undefined && !Number.isNaN(value))
    .sort((a, b) => signed(a.value!, direction) - signed(b.value!, direction));
  if (complete.length < fewestTrials) return [];
  const best = complete.slice(0, Math.max(2, Math.ceil(targetShare * complete.length)));
  const divergences = space.map(({ name, distribution }) => {
    const grid = listPlaces(distribution);
    const among = (list: readonly Trial[]) => measureDensity(name, distribution, list, grid);
    return { name, divergence: divergenceOf(among(best), among(complete)) };
  });
  const sum = divergences.reduce((total, { divergence }) => total + divergence, 0);
  const shares = divergences.map(({ name, divergence }) => ({ name, share: sum > 0 ? divergence / sum : 0 }));
  return shares.sort((a, b) => b.share - a.share);
}

function divergenceOf(top: readonly number[], all: readonly number[]): number {
  return all.reduce((sum, density, i) => sum + density * (top[i]! / density - 1) ** 2, 0);
}

function listPlaces(distribution: Distribution): number[] {
  if (distribution.kind === 'choice') return distribution.choices.map((_, i) => i);
  const { low, high } = lineOf(distribution);
  const places = Array.from({ length: gridPlaces }, (_, i) =>
    fromLine(low + ((i + 0.5) / gridPlaces) * (high - low), distribution),
  );
  return [...new Set(places)];
}

/** Over the grid, adding up to 1. */
function measureDensity(
  name: string,
  distribution: Distribution,
  trials: readonly Trial[],
  grid: readonly number[],
): number[] {
  const observations = trials.flatMap(({ parameters }) => {
    const known = parameters.get(name);
    return known === undefined ? [] : [{ values: [known.internal] }];
  });
  const estimator = createParzenEstimator([distribution], observations);
  const densities = grid.map(place => Math.exp(estimator.logDensity([place])));
  const sum = densities.reduce((total, density) => total + density, 0);
  return densities.map(density => density / sum);
}
