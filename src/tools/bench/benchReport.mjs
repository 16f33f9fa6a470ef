// @ts-check
/** Measurements of `npm run bench` -> medians, ratios within one run, and the tables it prints and writes. */

/** @typedef {'whole' | 'layered' | 'int8' | 'pytorch' | 'compiled' | 'bfloat16' | 'context' | 'decode'} Group */
/**
 * @typedef {object} TrainingMeasurement one process
 * @property {readonly number[]} stepMs of the steps that count
 * @property {readonly number[]} losses of every step
 * @property {number} peakRssBytes of the whole process
 * @property {number | null} stepsPeakRssBytes after everything was loaded; null where the system cannot tell
 */
/**
 * @typedef {object} DecodingSpeed
 * @property {number} promptTokens
 * @property {number} outputTokens
 * @property {number} tokensPerSecond
 * @property {number} promptTokensPerSecond
 * @property {number} [steppedTokensPerSecond] with a step for every token, where tokens else run ahead
 * @property {number} [togetherTokensPerSecond] of 8 answers that decode as one batch
 */
/**
 * @typedef {object} DecodingMeasurement one process
 * @property {DecodingSpeed} base
 * @property {DecodingSpeed} adapter
 * @property {number} peakRssBytes
 * @property {number | null} stepsPeakRssBytes
 */
/** @typedef {TrainingMeasurement | DecodingMeasurement} Measurement */
/**
 * @typedef {object} BenchCase
 * @property {string} name
 * @property {string} label
 * @property {Group} group
 * @property {'training' | 'context' | 'decoding'} work
 * @property {'engine' | 'pytorch' | 'llama.cpp'} by
 * @property {'whole' | 'layered'} [shape] of the engine, where it is not the name
 * @property {'8bit'} [baseWeights] of the engine, where they are not floats
 * @property {number} [contextTokens] of a case that has its own
 * @property {boolean} [isRounded] computes in fewer bits, so that its loss is near the others' only
 */

/** @type {readonly BenchCase[]} */
export const benchCases = [
  { name: 'whole', label: 'engine, whole graph', group: 'whole', work: 'training', by: 'engine' },
  { name: 'layered', label: 'engine, layer by layer', group: 'layered', work: 'training', by: 'engine' },
  .../** @type {const} */ (['whole', 'layered']).map(
    shape =>
      /** @type {const} */ ({
        name: `int8-${shape}`,
        label: `same ${shape === 'whole' ? 'in one graph' : 'by layers'}, 8-bit weights`,
        group: 'int8',
        work: 'training',
        by: 'engine',
        shape,
        baseWeights: '8bit',
        isRounded: true,
      }),
  ),
  { name: 'full', label: 'PyTorch + PEFT', group: 'pytorch', work: 'training', by: 'pytorch' },
  { name: 'gathered', label: 'same, supervised logits only', group: 'pytorch', work: 'training', by: 'pytorch' },
  { name: 'compiled', label: 'same, torch.compile', group: 'compiled', work: 'training', by: 'pytorch' },
  { name: 'bfloat16', label: 'same, bfloat16', group: 'bfloat16', work: 'training', by: 'pytorch', isRounded: true },
  ...[1024, 2048, 4096, 8192].map(
    contextTokens =>
      /** @type {const} */ ({
        name: `context-${contextTokens}`,
        label: `1 x ${contextTokens}`,
        group: 'context',
        work: 'context',
        by: 'engine',
        shape: 'layered',
        contextTokens,
      }),
  ),
  { name: 'decode', label: 'engine', group: 'decode', work: 'decoding', by: 'engine' },
  { name: 'llama-decode', label: 'node-llama-cpp', group: 'decode', work: 'decoding', by: 'llama.cpp' },
  { name: 'pytorch-decode', label: 'PyTorch + PEFT', group: 'decode', work: 'decoding', by: 'pytorch' },
];

export const groups = /** @type {readonly Group[]} */ ([...new Set(benchCases.map(({ group }) => group))]);

/** The case that training is compared with: what a user of PyTorch + PEFT writes. */
const trainingReference = 'full';
const decodingReference = 'llama-decode';

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
 * @property {number} [ratio] to PyTorch + PEFT
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
  const referencePeak = largestPeaks(measured.get(trainingReference) ?? []).stepsPeakRssBytes;
  return training.map(({ name, label }) => {
    const runs = measured.get(name) ?? [];
    const peak = largestPeaks(runs).stepsPeakRssBytes;
    const own = speeds.get(name) ?? [];
    const ratio = medianRatio(own, speeds.get(trainingReference));
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

/** @param {readonly Measurement[]} runs */
function largestPeaks(runs) {
  const steps = runs.map(run => run.stepsPeakRssBytes);
  return {
    stepsPeakRssBytes: steps.includes(null) ? null : Math.max(.../** @type {number[]} */ (steps)),
    peakRssBytes: Math.max(...runs.map(run => run.peakRssBytes)),
  };
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
    'of PyTorch',
    'peak MB',
    'of PyTorch',
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
      formatRatio(summary.peakRatio),
      formatMegabytes(summary.peakRssBytes),
    ]),
  };
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

/** Columns for a terminal. @param {{ header: readonly string[], rows: readonly (readonly string[])[] }} table */
export function formatColumns({ header, rows }) {
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...lines.map(line => line[column]?.length ?? 0)));
  return lines
    .map(line =>
      line
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  '),
    )
    .join('\n');
}

/** @param {{ header: readonly string[], rows: readonly (readonly string[])[] }} table */
export function formatMarkdown({ header, rows }) {
  const line = (/** @type {readonly string[]} */ cells) => `| ${cells.join(' | ')} |`;
  const rule = header.map((_, column) => (column === 0 ? '---' : '---:'));
  return [line(header), line(rule), ...rows.map(line)].join('\n');
}

const blockStart = '<!-- figures: written by npm run bench -- --write -->';
const blockEnd = '<!-- end of figures -->';

/** The page with its block of figures replaced. @param {string} page @param {string} figures @throws when it has no block */
export function replaceFigures(page, figures) {
  const start = page.indexOf(blockStart);
  const end = page.indexOf(blockEnd, start);
  if (start < 0 || end < 0)
    throw new Error(`expected "${blockStart}" and "${blockEnd}" in the page, got neither or one`);
  return `${page.slice(0, start + blockStart.length)}\n${figures}\n${page.slice(end)}`;
}

/** @param {number} value */
function formatNumber(value) {
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}

/** @param {number | undefined} ratio */
function formatRatio(ratio) {
  return ratio === undefined ? '' : `${ratio.toFixed(2)} x`;
}

/** @param {number | null} bytes */
function formatMegabytes(bytes) {
  return bytes === null ? '' : (bytes / 1e6).toFixed(0);
}
