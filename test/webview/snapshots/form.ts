/** @file States of the form as the host would send them. */
import type { DatasetInspection, ForecastReport, RowTokens } from '../../../src/shared/datasetProtocol.ts';
import { defaultHyperparameters } from '../../../src/shared/hyperparameters.ts';
import type { FormState } from '../../../src/shared/pages.ts';
import { applyPreset, presets } from '../../../src/shared/presets.ts';
import type { Suggestion } from '../../../src/shared/suggestSettings.ts';

const inspection: DatasetInspection = {
  path: '/home/user/project/data/medical-questions.jsonl',
  fileBytes: 734_003,
  format: 'jsonl',
  encoding: 'UTF-8',
  fileCount: 1,
  mapping: { kind: 'questionAnswer', fields: { question: 'question', answer: 'answer' } },
  mappingChosen: false,
  mappingReason: '200 of 200 rows hold a question and an answer.',
  fields: ['question', 'answer', 'source', 'topic'],
  rows: 1000,
  usableRows: 1000,
  problemCount: 0,
  problems: [],
  firstRows: [{ line: 1, prompt: 'What causes anaemia?', answer: 'Too few red blood cells.' }],
  tokens: { total: 133_420, supervised: 98_115, longestRow: 241, rowsOverContext: 0 },
  model: { hiddenSize: 128, parameterCount: 1_100_000, maxContextTokens: 1024 },
};

const broken: DatasetInspection = {
  ...inspection,
  usableRows: 991,
  problemCount: 9,
  problems: [
    {
      file: inspection.path,
      line: 17,
      code: 'json',
      message: `${inspection.path}:17: expected "," or "}", got end of line`,
      fix: 'Close the object or delete the line.',
    },
    {
      file: inspection.path,
      line: 204,
      code: 'field-missing',
      message: `${inspection.path}:204: expected a field "answer", got question, source, topic`,
      fix: 'Add "answer" to the row, or choose another mapping.',
    },
    {
      file: inspection.path,
      line: 1882,
      code: 'field-empty',
      message: `${inspection.path}:1882: expected text in "answer", got an empty string`,
      fix: 'Fill "answer" in or delete the row.',
    },
  ],
  tokens: { total: 133_420, supervised: 98_115, longestRow: 1241, rowsOverContext: 12 },
};

const forecast: ForecastReport = {
  forecast: {
    totalSteps: 189,
    trainRows: 900,
    heldOutRows: 100,
    tokensPerEpoch: 120_078,
    supervisedTokensPerEpoch: 88_304,
    peakMemoryBytes: 2.6 * 1024 ** 3,
    memoryLimitBytes: 12.4 * 1024 ** 3,
    plan: 'whole',
    baseWeights: 'float32',
  },
  trainingMs: null,
  fit: null,
  canStart: true,
  findings: [],
  error: null,
};

const overLimit: ForecastReport = {
  forecast: { ...forecast.forecast!, peakMemoryBytes: 15.2 * 1024 ** 3, plan: 'layered' },
  trainingMs: null,
  fit: { batchRows: 2, gradientAccumulation: 2 },
  canStart: false,
  findings: [
    {
      code: 'memory',
      message: 'peak memory: expected at most 12.4 GiB, got 15.2 GiB',
      remedy: 'Lower the batch to 2 rows or the context to 256 tokens.',
      override: 'memory',
    },
    {
      code: 'endToken',
      message: 'end token: expected it to be trained in every row, got 12 rows cut before it',
      remedy: 'Raise the context to 1,241 tokens or delete the 12 longest rows.',
      override: 'endToken',
    },
  ],
  error: null,
};

const words = (text: string, supervised: boolean) =>
  (text.match(/<\|[^|]+\|>|\n|\s?[^\s<]+/g) ?? []).map((piece, i) => ({ id: 1000 + i * 37, text: piece, supervised }));

const row: RowTokens = {
  line: 1,
  tokens: [
    ...words('<|im_start|>user\nWhat causes anaemia?', false),
    ...words('<|im_end|>\n<|im_start|>assistant\n', false),
    ...words('Anaemia is caused by too few red blood cells, or by cells that carry too little haemoglobin.', true),
    ...words('<|im_end|>', true),
    ...words('\n', false),
  ],
};

const suggestion: Suggestion = {
  values: { learningRate: 0.004, epochs: 14, contextTokens: 256 },
  reasons: [
    "Learning rate: for LoRA at the model's hidden size of 128.",
    'Epochs: about 420 steps; a model of this size wants 400 or more.',
    'Context: the longest row has 241 tokens.',
  ],
};

const ready: FormState = {
  trusted: true,
  dataset: { path: inspection.path, name: 'medical-questions.jsonl' },
  inspection,
  inspecting: false,
  runName: 'medical-questions',
  model: 'tiny',
  teacher: '',
  start: { mode: 'fresh', adapters: [] },
  models: [
    { id: 'tiny', label: 'Tiny (ships with Tuning Fork)', detail: '3.1 MiB, for trying things out' },
    {
      id: '/home/user/models/SmolLM2-135M-Instruct.Q4_1.gguf',
      label: 'SmolLM2-135M-Instruct.Q4_1.gguf',
      detail: '98.9 MiB in /home/user/models',
    },
  ],
  values: { ...defaultHyperparameters, ...suggestion.values },
  suggestion,
  python: null,
  problems: [],
  forecast,
  forecasting: false,
  overrides: [],
  row: null,
  starting: false,
  trackers: [
    { kind: 'tensorboard', on: true, detail: "event files in the run's folder", isReady: true },
    { kind: 'mlflow', on: false, detail: 'Name the server first: setting tuningFork.mlflowUri.', isReady: false },
    { kind: 'wandb', on: false, detail: 'tuning-fork, offline until you upload it', isReady: true },
  ],
  error: null,
};

export const formSnapshots = {
  ready,
  empty: { ...ready, dataset: null, inspection: null, forecast: null, runName: '' },
  reading: { ...ready, inspection: null, inspecting: true, forecast: null },
  forecasting: { ...ready, forecasting: true },
  restricted: { ...ready, trusted: false },
  broken: { ...ready, inspection: broken, forecast: overLimit, overrides: ['endToken'] },
  tokens: { ...ready, row },
  changed: {
    ...ready,
    model: 'HuggingFaceTB/SmolLM2-135M-Instruct',
    values: { ...defaultHyperparameters, rank: 8, learningRate: 5e-4, memoryLimitBytes: 8 * 1024 ** 3, packing: false },
  },
  refused: {
    ...ready,
    model: 'nobody/no-such-model',
    problems: [
      { name: 'model', message: 'expected a model on the Hub, got "nobody/no-such-model" (404)' },
      { name: 'rank', message: 'expected at most 64 for this model, got 128' },
    ],
    values: { ...defaultHyperparameters, rank: 128 },
    forecast: null,
  },
  continued: {
    ...ready,
    start: {
      mode: 'continue',
      adapters: [{ path: '/home/user/adapters/museum-rank-16', label: 'museum-rank-16' }],
    },
  },
  startMissing: {
    ...ready,
    start: { mode: 'continue', adapters: [] },
    problems: [{ name: 'startFrom', message: 'expected an adapter to start from, got none' }],
    forecast: null,
  },
  longNames: {
    ...ready,
    start: {
      mode: 'stack',
      adapters: [
        { path: '/home/user/adapters/style', label: 'style' },
        {
          path: '/home/user/.tuning-fork/runs/20261124-104432-customer-support-conversations-2025-cleaned-4e0c',
          label: '20261124-104432-customer-support-conversations-2025-cleaned-4e0c',
        },
      ],
    },
    dataset: {
      path: '/home/user/a-rather-deep/folder/with-a-very-long-name/customer-support-conversations-2025-cleaned-final-v3.jsonl',
      name: 'customer-support-conversations-2025-cleaned-final-v3.jsonl',
    },
    runName: 'customer-support-conversations-2025-cleaned-final-v3-with-a-longer-context-and-more-epochs',
  },
  failed: {
    ...ready,
    error: {
      code: 'process-ended',
      message: 'trainer: expected it to report its run within 10 s, got exit code 1',
      hint: 'Run "Tuning Fork: Doctor" to see what this machine lacks.',
    },
  },
  pytorchMissing: {
    ...ready,
    values: { ...defaultHyperparameters, engine: 'pytorch' },
    python: {
      state: 'missing',
      text: 'It takes a Python environment of its own, which is made after asking.',
      offer: 'An NVIDIA card with driver 580.82.07 was found. PyTorch can train big models on it.',
    },
    forecast: {
      ...forecast,
      forecast: null,
      canStart: false,
      error: {
        code: 'python-missing',
        message: 'engine: expected a Python environment that can run PyTorch, got none',
        hint: 'Set one up (tuning-fork python install; in the editor: Set Up PyTorch...), or choose engine=embedded.',
      },
    },
  },
  pytorchChosen: {
    ...ready,
    model: 'meta-llama/Llama-2-7b-hf',
    suggestion: null,
    values: { ...applyPreset(presets.find(({ id }) => id === 'llama2-lora')!, defaultHyperparameters) },
    python: { state: 'ready', text: 'Python 3.12.7, torch 2.13.0+cu130, NVIDIA H100 80GB HBM3', offer: '' },
    forecast: {
      ...forecast,
      engine: {
        engine: 'pytorch',
        reason: 'The model is big (6.7 billion weights) and PyTorch can use NVIDIA H100 80GB HBM3 (CUDA).',
      },
    },
  },
  starting: { ...ready, starting: true },
  uninspectable: {
    ...ready,
    inspection: null,
    forecast: null,
    problems: [
      { name: 'dataset', message: 'medical-questions.jsonl: expected UTF-8 text, got byte 0xff at offset 0 (UTF-16?)' },
    ],
  },
} satisfies Record<string, FormState>;
