/**
 * @file Two ways of answering the same questions -> by how much one scores better, and how sure that is: the paired
 * percentile bootstrap (Efron 1979; for comparing systems, Koehn 2004, W04-3250).
 */
import { createGenerator } from '../text/seededOrder.ts';
import { mean } from './mean.ts';

export interface ScoreComparison {
  /** Mean of the first scores minus mean of the second. */
  readonly difference: number;
  /** Bounds of the interval that holds the difference with 95 % confidence. */
  readonly low: number;
  readonly high: number;
  /** Questions on which the first scores better, as well, worse. */
  readonly wins: number;
  readonly ties: number;
  readonly losses: number;
}

const resamples = 10_000;
const confidence = 0.95;
/** Scores closer than this are a tie: rounding. */
const tieWidth = 1e-9;

/**
 * @param first scores by question
 * @param second scores of the same questions in the same order
 */
export function compareScores(first: readonly number[], second: readonly number[], seed: number): ScoreComparison {
  if (first.length !== second.length || first.length === 0) {
    throw new Error(`internal: scores: expected pairs, got ${first.length} and ${second.length}`);
  }
  const differences = first.map((score, i) => score - second[i]!);
  const [low, high] = bootstrapMean(differences, seed);
  return {
    difference: mean(differences),
    low,
    high,
    wins: differences.filter(d => d > tieWidth).length,
    ties: differences.filter(d => Math.abs(d) <= tieWidth).length,
    losses: differences.filter(d => d < -tieWidth).length,
  };
}

/** The interval of the mean over resampled questions. */
function bootstrapMean(values: readonly number[], seed: number): [low: number, high: number] {
  const next = createGenerator([seed, values.length]);
  const means = Float64Array.from({ length: resamples }, () => {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[Math.floor((next() / 2 ** 32) * values.length)]!;
    return sum / values.length;
  }).sort();
  const tail = (1 - confidence) / 2;
  return [quantile(means, tail), quantile(means, 1 - tail)];
}

/** By linear interpolation, as NumPy's default. */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (at - below) * (sorted[above]! - sorted[below]!);
}
