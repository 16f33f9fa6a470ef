// @ts-check
/** Measurements of training -> medians, ratios within one run, and their table. */
import { benchCases } from './benchCases.mjs';
import { largestPeaks, median, medianRatio } from './benchStatistics.mjs';
import { formatMegabytes, formatNumber, formatRatio } from './benchTable.mjs';

/** @typedef {import('./benchCases.mjs').Measurement} Measurement */
/** @typedef {import('./benchCases.mjs').TrainingMeasurement} TrainingMeasurement */

/** What a user of PyTorch + PEFT writes: memory is compared with the first, speed with the faster of both in the same pass. */
const trainingReference = 'full';
const compiledReference = 'compiled';

/** @param {TrainingMeasurement} measurement @param {number} tokens of a step */
export function trainingSpeed({ stepMs }, tokens) {
  return (1000 * tokens) / median(stepMs);
}

/**
 * @typedef {object} TrainingSummary
 * @property {string} case
 * @property {string} label
 * @property {number} tokensPerSecond median of the runs
 * @property {readonly number[]} runs tokens a second of each
 * @property {number} [ratio] to the faster of PyTorch + PEFT, eager and compiled
 * @property {number} [peakRatio] of the steps' peak memory to PyTorch + PEFT's
 * @property {number | null} stepsPeakRssBytes the largest of the runs
 * @property {number} peakRssBytes the largest of the runs
 * @property {number} firstLossNats
 */

/**
 * @param {ReadonlyMap<string, readonly Measurement[]>} results by case, in the order of the runs
 * @param {number} tokens of a step
 * @returns {TrainingSummary[]}
 */
export function summarizeTraining(results, tokens) {
  const training = benchCases.filter(({ name, work }) => work === 'training' && results.has(name));
  const measured = new Map(
    training.map(({ name }) => [name, /** @type {TrainingMeasurement[]} */ (results.get(name) ?? [])]),
  );
  const speeds = new Map([...measured].map(([name, runs]) => [name, runs.map(run => trainingSpeed(run, tokens))]));
  const fastest = takeFaster(speeds.get(trainingReference), speeds.get(compiledReference));
  const referencePeak = largestPeaks(measured.get(trainingReference) ?? []).stepsPeakRssBytes;
  return training.map(({ name, label }) => {
    const runs = measured.get(name) ?? [];
    const peak = largestPeaks(runs).stepsPeakRssBytes;
    const own = speeds.get(name) ?? [];
    const ratio = medianRatio(own, fastest);
    return {
      case: name,
      label,
      tokensPerSecond: median(own),
      runs: own,
      ...(ratio !== undefined && { ratio }),
      ...(peak && referencePeak && { peakRatio: peak / referencePeak }),
      ...largestPeaks(runs),
      firstLossNats: runs[0]?.losses[0] ?? Number.NaN,
    };
  });
}

/**
 * Of each pass the higher speed, where both were measured.
 * @param {readonly number[] | undefined} eager
 * @param {readonly number[] | undefined} compiled
 */
function takeFaster(eager, compiled) {
  return eager?.map((speed, pass) => Math.max(speed, compiled?.[pass] ?? 0));
}

/** How far the first losses of two cases may be apart, relatively. */
const lossTolerance = { exact: 1e-3, rounded: 2e-2 };

/**
 * Cases whose first loss is not the first one's: they did not compute the same, and their speeds say nothing.
 * @param {readonly TrainingSummary[]} training
 */
export function findDifferentLosses(training) {
  const [first] = training;
  const roundedCases = new Set(benchCases.filter(({ isRounded }) => isRounded).map(({ name }) => name));
  return training
    .filter(({ case: name, firstLossNats }) => {
      const tolerance = roundedCases.has(name) ? lossTolerance.rounded : lossTolerance.exact;
      return !(Math.abs(firstLossNats - (first?.firstLossNats ?? 0)) <= tolerance * firstLossNats);
    })
    .map(
      ({ label, firstLossNats }) => `${label}: first loss ${firstLossNats}, ${first?.label} ${first?.firstLossNats}`,
    );
}

/** @param {readonly TrainingSummary[]} summaries @param {string} shape of a batch */
export function trainingTable(summaries, shape) {
  const header = [
    `Training, ${shape} tokens`,
    'tokens/s',
    'slowest-fastest run',
    'of the faster PyTorch (eager, compiled)',
    'peak MB',
    'of PyTorch (eager)',
    'with loading MB',
  ];
  return {
    header,
    rows: summaries.map(summary => [
      summary.label,
      formatNumber(summary.tokensPerSecond),
      `${formatNumber(Math.min(...summary.runs))}-${formatNumber(Math.max(...summary.runs))}`,
      formatRatio(summary.ratio),
      formatMegabytes(summary.stepsPeakRssBytes),
      formatRatio(summary.peakRatio, 3),
      formatMegabytes(summary.peakRssBytes),
    ]),
  };
}
