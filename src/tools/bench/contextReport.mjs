// @ts-check
/** Measurements of growing contexts -> medians, and what 1,024 more tokens take. */
import { benchCases } from './benchCases.mjs';
import { largestPeaks, median } from './benchStatistics.mjs';
import { formatMegabytes, formatNumber } from './benchTable.mjs';
import { trainingSpeed } from './trainingReport.mjs';

/** @typedef {import('./benchCases.mjs').Measurement} Measurement */
/** @typedef {import('./benchCases.mjs').TrainingMeasurement} TrainingMeasurement */

/**
 * How one engine's memory and speed change with the context.
 * @param {ReadonlyMap<string, readonly Measurement[]>} results
 */
export function summarizeContexts(results) {
  return benchCases.flatMap(({ name, label, contextTokens }) => {
    const runs = /** @type {readonly TrainingMeasurement[] | undefined} */ (results.get(name));
    if (contextTokens === undefined || runs === undefined) return [];
    const tokensPerSecond = median(runs.map(run => trainingSpeed(run, contextTokens)));
    return [{ case: name, label, contextTokens, tokensPerSecond, ...largestPeaks(runs) }];
  });
}

/** @param {ReturnType<typeof summarizeContexts>} summaries */
export function contextTable(summaries) {
  return {
    header: ['Context, layer by layer', 'tokens/s', 'peak MB', 'MB more per 1,024 tokens', 'with loading MB'],
    rows: summaries.map((summary, i) => {
      const before = summaries[i - 1];
      const [peak, peakBefore] = [summary.stepsPeakRssBytes, before?.stepsPeakRssBytes];
      const slope =
        before && peak && peakBefore
          ? formatMegabytes((1024 * (peak - peakBefore)) / (summary.contextTokens - before.contextTokens))
          : '';
      return [
        summary.label,
        formatNumber(summary.tokensPerSecond),
        formatMegabytes(summary.stepsPeakRssBytes),
        slope,
        formatMegabytes(summary.peakRssBytes),
      ];
    }),
  };
}
