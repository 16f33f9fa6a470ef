// @ts-check
/** The settings that `npm run bench:forecast` runs, their rows, and how far a forecast may be off. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @typedef {object} GridPoint
 * @property {'tiny' | 'SmolLM2'} model
 * @property {'whole' | 'layered'} plan
 * @property {Readonly<Record<string, string | number>>} settings
 */
/**
 * @typedef {object} ForecastMeasurement
 * @property {number} forecastBytes
 * @property {number} measuredBytes
 * @property {number | null} forecastMs null where time was not asked for
 * @property {number} measuredMs
 */
/** @typedef {ForecastMeasurement & { number: number, title: string, tolerance: number, memoryRatio: number, timeRatio: number | null }} ForecastComparison */

/** @type {(model: GridPoint['model'], plan: GridPoint['plan'], rows: number, tokens: number, more?: GridPoint['settings']) => GridPoint} */
const point = (model, plan, batchRows, contextTokens, more = {}) => ({
  model,
  plan,
  settings: { baseWeights: 'float32', batchRows, contextTokens, ...more },
});

/** @type {readonly GridPoint[]} */
export const forecastGrid = [
  point('tiny', 'whole', 8, 128),
  point('tiny', 'layered', 2, 1024),
  point('tiny', 'whole', 8, 256, { method: 'full' }),
  point('tiny', 'whole', 4, 128, { objective: 'dpo' }),
  point('SmolLM2', 'whole', 1, 128),
  point('SmolLM2', 'whole', 4, 256),
  point('SmolLM2', 'whole', 1, 1024),
  point('SmolLM2', 'layered', 4, 256),
  point('SmolLM2', 'layered', 1, 2048),
  point('SmolLM2', 'whole', 4, 256, { baseWeights: '8bit' }),
  point('SmolLM2', 'layered', 8, 128, { baseWeights: '8bit' }),
  point('SmolLM2', 'whole', 2, 256, { baseWeights: '4bit' }),
  point('SmolLM2', 'layered', 1, 512, { baseWeights: '4bit' }),
  point('SmolLM2', 'layered', 2, 128, { method: 'full' }),
  point('SmolLM2', 'whole', 1, 256, { objective: 'dpo' }),
  point('tiny', 'whole', 8, 128, { objective: 'distill' }),
  point('SmolLM2', 'whole', 2, 128, { objective: 'distill' }),
];

/** The same for the PyTorch engine on a processor, which has one shape and whose time is not forecast. @type {readonly GridPoint[]} */
export const pytorchGrid = [
  point('tiny', 'whole', 8, 128),
  point('tiny', 'whole', 2, 1024),
  point('tiny', 'whole', 8, 256, { method: 'full' }),
  point('SmolLM2', 'whole', 1, 128),
  point('SmolLM2', 'whole', 4, 256),
  point('SmolLM2', 'whole', 1, 1024),
  point('SmolLM2', 'whole', 4, 256, { gradientCheckpointing: 'true' }),
  point('SmolLM2', 'whole', 4, 256, { precision: 'bfloat16' }),
  point('SmolLM2', 'whole', 4, 256, { baseWeights: '4bit' }),
  point('SmolLM2', 'whole', 4, 256, { baseWeights: '8bit' }),
];

export const tolerances = { memory: 0.1, time: 0.2 };
/** Of the PyTorch engine's memory: its allocator is the system's. */
export const pytorchTolerance = 0.15;

/** @param {number} number @param {GridPoint} at @param {ForecastMeasurement} measured @returns {ForecastComparison} */
export function compareForecast(number, { model, plan, settings }, measured) {
  const { batchRows, contextTokens, baseWeights, method = 'lora', objective = 'sft', engine = 'embedded' } = settings;
  const { precision, gradientCheckpointing } = settings;
  const more = [precision, gradientCheckpointing && 'checkpointed'].filter(Boolean);
  const how = engine === 'pytorch' ? ['PyTorch', ...more] : [plan];
  const { forecastBytes, measuredBytes, forecastMs, measuredMs } = measured;
  return {
    number,
    title: [model, `${batchRows} x ${contextTokens}`, method, baseWeights, ...how, objective].join(', '),
    tolerance: engine === 'pytorch' ? pytorchTolerance : tolerances.memory,
    ...measured,
    memoryRatio: forecastBytes / measuredBytes,
    timeRatio: forecastMs === null ? null : forecastMs / measuredMs,
  };
}

/** @param {ForecastComparison} comparison */
export function isWithin({ memoryRatio, timeRatio, tolerance }) {
  return Math.abs(memoryRatio - 1) <= tolerance && (timeRatio === null || Math.abs(timeRatio - 1) <= tolerances.time);
}

/** @param {readonly ForecastComparison[]} comparisons */
export function forecastTable(comparisons) {
  const header = ['Run', 'forecast MB', 'peak MB', 'ratio', 'forecast s', 'measured s', 'ratio', 'within'];
  const megabytes = (/** @type {number} */ bytes) => (bytes / 1e6).toFixed(0);
  const seconds = (/** @type {number} */ ms) => (ms / 1000).toFixed(1);
  const rows = comparisons.map(comparison => {
    const { number, title, forecastBytes, measuredBytes, memoryRatio, forecastMs, measuredMs, timeRatio } = comparison;
    return [
      `${number} ${title}`,
      megabytes(forecastBytes),
      megabytes(measuredBytes),
      memoryRatio.toFixed(2),
      ...(forecastMs === null || timeRatio === null
        ? ['', '', '']
        : [seconds(forecastMs), seconds(measuredMs), timeRatio.toFixed(2)]),
      isWithin(comparison) ? 'yes' : 'no',
    ];
  });
  return { header, rows };
}

/** Two data sets of rows of about 80 tokens: questions, and questions with a better and a worse answer. @param {string} folder */
export function writeForecastRows(folder) {
  const words = 'harbour lantern copper ladder museum captain orchard window bridge letter garden winter'.split(' ');
  const sentence = (/** @type {number} */ seed, /** @type {number} */ length) =>
    Array.from({ length }, (_, at) => words[(seed * 7 + at * (1 + (seed % 5))) % words.length]).join(' ');
  const rows = Array.from({ length: 160 }, (_, row) => ({
    question: `${row}: ${sentence(row, 24)}?`,
    answer: `${sentence(row + 3, 20)} ${row}.`,
  }));
  const write = (/** @type {string} */ name, /** @type {readonly object[]} */ lines) => {
    const file = join(folder, name);
    writeFileSync(file, `${lines.map(line => JSON.stringify(line)).join('\n')}\n`);
    return file;
  };
  return {
    questions: write('questions.jsonl', rows),
    pairs: write(
      'pairs.jsonl',
      rows.map(({ question, answer }, row) => ({
        prompt: question,
        chosen: answer,
        rejected: `${sentence(row + 5, 15)}.`,
      })),
    ),
  };
}
