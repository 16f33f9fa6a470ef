/**
 * @file Trials so far -> the settings of the next one, as a pure function of them, a seed and the trial's number. `random`
 * draws evenly; `tpe` is the tree-structured Parzen estimator: of 24 settings drawn where good trials are dense, the one
 * whose density among the good is highest beside that among the others (Bergstra et al. 2011; Optuna's defaults).
 */
import type { Distribution } from '../../shared/searchRecord.ts';
import { createGenerator } from '../text/seededOrder.ts';
import { contains, drawUniform } from './distributions.ts';
import { createParzenEstimator, type Observation } from './parzenEstimator.ts';
import { type Direction, lastReport, signed, type Trial } from './trial.ts';

export interface SpaceEntry {
  readonly name: string;
  readonly distribution: Distribution;
}

export interface SampleRequest {
  readonly space: readonly SpaceEntry[];
  readonly trials: readonly Trial[];
  readonly direction: Direction;
  readonly seed: number;
  /** Of the trial that is to be sampled. */
  readonly number: number;
}

/** Internal values by name. */
export type Sampler = (request: SampleRequest) => ReadonlyMap<string, number>;

const candidates = 24;

export const sampleRandomly: Sampler = ({ space, seed, number }) => {
  const uniform = createUniform(seed, number);
  return new Map(space.map(({ name, distribution }) => [name, drawUniform(distribution, uniform())]));
};

export interface TpeOptions {
  /** Trials drawn evenly before anything can be known. */
  readonly startupTrials: number;
  /** All settings drawn together, so that what suits each other is found; otherwise each alone. */
  readonly isMultivariate: boolean;
}

export function createTpeSampler({ startupTrials, isMultivariate }: TpeOptions): Sampler {
  return request => {
    const { space, trials, direction, seed, number } = request;
    const ended = trials.filter(({ state }) => state === 'complete' || state === 'pruned');
    if (ended.length < startupTrials) return sampleRandomly(request);
    const uniform = createUniform(seed, number);
    const { good, others } = splitTrials(trials, direction);
    const groups = isMultivariate ? [space] : space.map(entry => [entry]);
    return new Map(groups.flatMap(group => sampleGroup(group, good, others, uniform)));
  };
}

function sampleGroup(
  space: readonly SpaceEntry[],
  good: readonly Trial[],
  others: readonly Trial[],
  uniform: () => number,
): [string, number][] {
  const distributions = space.map(({ distribution }) => distribution);
  const dense = createParzenEstimator(distributions, observe(space, good));
  const sparse = createParzenEstimator(distributions, observe(space, others));
  let best: { values: number[]; gain: number } | undefined;
  for (let i = 0; i < candidates; i++) {
    const values = dense.draw(uniform);
    const gain = dense.logDensity(values) - sparse.logDensity(values);
    if (best === undefined || gain > best.gain) best = { values, gain };
  }
  return space.map(({ name }, i) => [name, best!.values[i]!]);
}

/**
 * The best tenth and the rest. Complete trials come first by value, then pruned ones, the longest first. Trials under way
 * count among the rest, so that several at once do not crowd one place (the "constant liar").
 */
function splitTrials(trials: readonly Trial[], direction: Direction): { good: Trial[]; others: Trial[] } {
  const complete = trials
    .filter(({ state, value }) => state === 'complete' && value !== undefined && !Number.isNaN(value))
    .sort((a, b) => signed(a.value!, direction) - signed(b.value!, direction));
  const reached = (trial: Trial) => lastReport(trial)?.step ?? -1;
  const newest = (trial: Trial) => signed(lastReport(trial)?.value ?? 0, direction);
  const pruned = trials
    .filter(({ state }) => state === 'pruned')
    .sort((a, b) => reached(b) - reached(a) || newest(a) - newest(b));
  const ranked = [...complete, ...pruned];
  const count = Math.min(Math.ceil(0.1 * ranked.length), 25);
  const byAge = (list: Trial[]) => list.sort((a, b) => a.number - b.number);
  const running = trials.filter(({ state }) => state === 'running');
  return { good: byAge(ranked.slice(0, count)), others: byAge([...ranked.slice(count), ...running]) };
}

/** Trials that have every setting of the space within its range. */
function observe(space: readonly SpaceEntry[], trials: readonly Trial[]): Observation[] {
  return trials.flatMap(({ parameters }) => {
    const values = space.map(({ name, distribution }) => {
      const known = parameters.get(name);
      return known !== undefined && contains(distribution, known.internal) ? known.internal : undefined;
    });
    return values.every(value => value !== undefined) ? [{ values }] : [];
  });
}

function createUniform(seed: number, number: number): () => number {
  const next = createGenerator([seed, number]);
  return () => next() / 0x1_0000_0000;
}
