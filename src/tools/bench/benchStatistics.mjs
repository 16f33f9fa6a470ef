// @ts-check
/** Several runs of a case -> one number. */

/** @typedef {import('./benchCases.mjs').Measurement} Measurement */

/** Of an even count the mean of the two in the middle. @param {readonly number[]} values at least one */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  if (upper === undefined) throw new Error('internal: median of nothing');
  return sorted.length % 2 === 1 ? upper : (upper + /** @type {number} */ (sorted[middle - 1])) / 2;
}

/**
 * The median of the ratios of runs that stood beside each other, so that a machine that slows down spoils neither side.
 * @param {readonly number[]} values
 * @param {readonly number[] | undefined} references undefined = nothing to compare with
 */
export function medianRatio(values, references) {
  if (!references || references.length === 0) return undefined;
  const pairs = Math.min(values.length, references.length);
  return median(values.slice(0, pairs).map((value, i) => value / /** @type {number} */ (references[i])));
}

/** The largest of several runs. @param {readonly Measurement[]} runs */
export function largestPeaks(runs) {
  const steps = runs.map(run => run.stepsPeakRssBytes);
  return {
    stepsPeakRssBytes: steps.includes(null) ? null : Math.max(.../** @type {number[]} */ (steps)),
    peakRssBytes: Math.max(...runs.map(run => run.peakRssBytes)),
  };
}
