/**
 * @file Settings of some trials -> a density over settings that is high where they are: one kernel a trial and a broad one
 * for what is known without any. Numbers have truncated normal kernels as wide as the distance to their neighbours,
 * choices a count. After Bergstra et al. 2011 with the details of Optuna's TPESampler (magic clip, no end points).
 */
import type { Distribution } from '../../shared/searchRecord.ts';
import { fromLine, lineOf, type NumericDistribution, toLine } from './distributions.ts';
import { drawNormal, normalBetween } from './normalDistribution.ts';

export interface Observation {
  /** One internal value for each setting of the space, in its order. */
  readonly values: readonly number[];
}

export interface ParzenEstimator {
  /** Internal values of one point. */
  draw(uniform: () => number): number[];
  logDensity(values: readonly number[]): number;
}

interface Kernel {
  draw(uniform: () => number): number;
  density(value: number): number;
}

const smallest = 1e-300;

/** @param observations oldest first; the newest 25 weigh 1, those before less and less */
export function createParzenEstimator(
  space: readonly Distribution[],
  observations: readonly Observation[],
): ParzenEstimator {
  const kernels = space.map((distribution, i) => {
    const values = observations.map(observation => observation.values[i]!);
    return distribution.kind === 'choice'
      ? countChoices(values, distribution.choices.length)
      : placeNormals(values, distribution);
  });
  const weights = normalize([...weighByAge(observations.length), 1]);
  return {
    draw: uniform => {
      const chosen = pick(weights, uniform());
      return kernels.map(ofSetting => ofSetting[chosen]!.draw(uniform));
    },
    logDensity: values => {
      let density = 0;
      for (const [k, weight] of weights.entries()) {
        density += values.reduce((product, value, i) => product * kernels[i]![k]!.density(value), weight);
      }
      return Math.log(Math.max(density, smallest));
    },
  };
}

/** As Optuna's default weights. */
function weighByAge(count: number): number[] {
  const ramp = Math.max(0, count - 25);
  return Array.from({ length: count }, (_, i) =>
    i >= ramp ? 1 : ramp === 1 ? 1 / count : 1 / count + (i / (ramp - 1)) * (1 - 1 / count),
  );
}

/** A kernel for each observation, and the prior's last. */
function countChoices(values: readonly number[], choices: number): Kernel[] {
  const prior = values.length === 0 ? 1 : 1 / (values.length + 1);
  return [...values, undefined].map(value => {
    const counts = Array.from({ length: choices }, (_, choice) => prior + (choice === value ? 1 : 0));
    const shares = normalize(counts);
    return { draw: uniform => pick(shares, uniform()), density: choice => shares[choice] ?? 0 };
  });
}

function placeNormals(values: readonly number[], distribution: NumericDistribution): Kernel[] {
  const { low, high } = lineOf(distribution);
  const means = values.map(value => toLine(value, distribution));
  const widths = measureWidths(means, low, high);
  const prior = { mean: (low + high) / 2, width: high - low };
  return [...means.map((mean, i) => ({ mean, width: widths[i]! })), prior].map(({ mean, width }) =>
    createNormal(mean, width, distribution),
  );
}

/** The larger distance to a neighbour, within what suits the number of kernels. */
function measureWidths(means: readonly number[], low: number, high: number): number[] {
  const order = means.map((_, i) => i).sort((a, b) => means[a]! - means[b]!);
  const sorted = [low, ...order.map(i => means[i]!), high];
  const widths = order.map((_, i) => Math.max(sorted[i + 1]! - sorted[i]!, sorted[i + 2]! - sorted[i + 1]!));
  if (widths.length >= 2) {
    widths[0] = sorted[2]! - sorted[1]!;
    widths[widths.length - 1] = sorted[widths.length]! - sorted[widths.length - 1]!;
  }
  const range = high - low;
  const narrowest = range / Math.min(100, means.length + 2);
  const byObservation = new Array<number>(means.length);
  for (const [place, i] of order.entries()) byObservation[i] = Math.min(range, Math.max(narrowest, widths[place]!));
  return byObservation;
}

function createNormal(mean: number, width: number, distribution: NumericDistribution): Kernel {
  const { low, high } = lineOf(distribution);
  const standard = (place: number) => (place - mean) / width;
  const mass = Math.max(normalBetween(standard(low), standard(high)), smallest);
  const log = (value: number) => (distribution.log ? Math.log(value) : value);
  return {
    draw: uniform => {
      for (;;) {
        // The mean lies within: at least a third of the draws do.
        const place = mean + width * drawNormal(uniform);
        if (place >= low && place <= high) return fromLine(place, distribution);
      }
    },
    density: value => {
      if (distribution.kind === 'integer') {
        return normalBetween(standard(log(value - 0.5)), standard(log(value + 0.5))) / mass;
      }
      const z = standard(toLine(value, distribution));
      return Math.exp(-0.5 * z * z) / (width * Math.sqrt(2 * Math.PI)) / mass;
    },
  };
}

function normalize(weights: readonly number[]): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map(weight => weight / sum);
}

function pick(shares: readonly number[], uniform: number): number {
  let left = uniform;
  for (const [i, share] of shares.entries()) {
    left -= share;
    if (left < 0) return i;
  }
  return shares.length - 1;
}
