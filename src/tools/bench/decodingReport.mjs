// @ts-check
/** Measurements of answering -> medians, ratios to node-llama-cpp within one run, and their table. */
import { benchCases } from './benchCases.mjs';
import { largestPeaks, median, medianRatio } from './benchStatistics.mjs';
import { formatMegabytes, formatNumber, formatRatio } from './benchTable.mjs';

/** @typedef {import('./benchCases.mjs').Measurement} Measurement */
/** @typedef {import('./benchCases.mjs').DecodingMeasurement} DecodingMeasurement */

const decodingReference = 'llama-decode';

/**
 * @typedef {object} DecodingSummary
 * @property {string} case
 * @property {string} label
 * @property {'base' | 'adapter'} model
 * @property {number} promptTokens
 * @property {number} outputTokens
 * @property {number} tokensPerSecond
 * @property {number} promptTokensPerSecond
 * @property {number} [steppedTokensPerSecond]
 * @property {number} [steppedRatio]
 * @property {number} [togetherTokensPerSecond]
 * @property {number} [ratio] of tokens a second to node-llama-cpp
 * @property {number} [promptRatio]
 * @property {number | null} stepsPeakRssBytes
 * @property {number} peakRssBytes
 */

/** @param {ReadonlyMap<string, readonly Measurement[]>} results @returns {DecodingSummary[]} */
export function summarizeDecoding(results) {
  const decoding = benchCases.filter(({ name, work }) => work === 'decoding' && results.has(name));
  const runsOf = (/** @type {string} */ name) =>
    /** @type {readonly DecodingMeasurement[] | undefined} */ (results.get(name));
  return decoding.flatMap(({ name, label }) =>
    /** @type {const} */ (['base', 'adapter']).map(model => {
      const runs = runsOf(name) ?? [];
      const speeds = runs.map(run => run[model].tokensPerSecond);
      const prompts = runs.map(run => run[model].promptTokensPerSecond);
      const stepped = runs.flatMap(run => run[model].steppedTokensPerSecond ?? []);
      const together = runs.flatMap(run => run[model].togetherTokensPerSecond ?? []);
      const reference = runsOf(decodingReference);
      const ratio = medianRatio(
        speeds,
        reference?.map(run => run[model].tokensPerSecond),
      );
      const steppedRatio =
        stepped.length === 0
          ? undefined
          : medianRatio(
              stepped,
              reference?.map(run => run[model].tokensPerSecond),
            );
      const promptRatio = medianRatio(
        prompts,
        reference?.map(run => run[model].promptTokensPerSecond),
      );
      return {
        case: name,
        label,
        model,
        promptTokens: runs[0]?.[model].promptTokens ?? 0,
        outputTokens: runs[0]?.[model].outputTokens ?? 0,
        tokensPerSecond: median(speeds),
        promptTokensPerSecond: median(prompts),
        ...(stepped.length > 0 && { steppedTokensPerSecond: median(stepped) }),
        ...(steppedRatio !== undefined && { steppedRatio }),
        ...(together.length > 0 && { togetherTokensPerSecond: median(together) }),
        ...(ratio !== undefined && { ratio }),
        ...(promptRatio !== undefined && { promptRatio }),
        ...largestPeaks(runs),
      };
    }),
  );
}

/** @param {readonly DecodingSummary[]} summaries */
export function decodingTable(summaries) {
  const { promptTokens, outputTokens } = summaries[0] ?? { promptTokens: 0, outputTokens: 0 };
  const title = `Answering (${promptTokens} + ${outputTokens} tokens)`;
  const speeds = ['tokens/s', 'ratio', 'one a step', 'ratio', 'prompt tokens/s', 'ratio', '8 at once'];
  const header = [title, ...speeds, 'peak MB', 'with loading MB'];
  return {
    header,
    rows: summaries.map(summary => [
      `${summary.label}, ${summary.model === 'base' ? 'base' : 'with adapter'}`,
      formatNumber(summary.tokensPerSecond),
      formatRatio(summary.ratio),
      summary.steppedTokensPerSecond === undefined ? '' : formatNumber(summary.steppedTokensPerSecond),
      formatRatio(summary.steppedRatio),
      formatNumber(summary.promptTokensPerSecond),
      formatRatio(summary.promptRatio),
      summary.togetherTokensPerSecond === undefined ? '' : formatNumber(summary.togetherTokensPerSecond),
      formatMegabytes(summary.stepsPeakRssBytes),
      formatMegabytes(summary.peakRssBytes),
    ]),
  };
}
