// @ts-check
/** What `npm run bench` measures, and what each process reports. */

/** @typedef {'whole' | 'layered' | 'int8' | 'pytorch' | 'compiled' | 'bfloat16' | 'context' | 'decode'} Group */
/**
 * @typedef {object} TrainingMeasurement one process
 * @property {readonly number[]} stepMs of the steps that count
 * @property {readonly number[]} [stepCpuMs] processor time of the same steps, of all threads
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
