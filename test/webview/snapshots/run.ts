/** @file States of a run's panel as the host would send them. */
import { defaultHyperparameters } from '../../../src/shared/hyperparameters.ts';
import type { RunState, TrackerLine } from '../../../src/shared/pages.ts';
import type { RunRecord } from '../../../src/shared/recipe.ts';
import type { EvaluationRow, RunStatus, StepRow } from '../../../src/shared/runFolder.ts';

const id = '20261124-093000-medical-questions-1f3a';
const totalSteps = 189;

/** A falling, noisy loss: a pure function of the step. */
export function makeSteps(count: number, total = totalSteps): StepRow[] {
  return Array.from({ length: count }, (_, i) => {
    const step = i + 1;
    const progress = step / total;
    const noise = Math.sin(step * 12.9898) * 43758.5453;
    const jitter = (noise - Math.floor(noise) - 0.5) * 0.5;
    return {
      kind: 'step',
      attempt: 1,
      step,
      epoch: progress * 3,
      lossNats: 1.3 + 1.6 * Math.exp(-4 * progress) + jitter,
      learningRate: step <= 10 ? 2e-5 * step : 1e-4 * (1 + Math.cos(Math.PI * progress)),
      gradNorm: 0.8 + 2 * Math.exp(-6 * progress) + Math.abs(jitter),
      supervisedTokens: 470,
      tokensPerSecond: 305 + 20 * jitter,
      elapsedMs: step * 2100,
      peakRssBytes: 2.4 * 1024 ** 3,
    };
  });
}

export function makeEvaluations(upTo: number, every = 19, total = totalSteps): EvaluationRow[] {
  const rows: EvaluationRow[] = [];
  for (let step = 0; step <= upTo; step += every) {
    const fall = 1.42 + 1.5 * Math.exp((-5 * step) / total) + 0.35 * Math.max(0, step / total - 0.7);
    rows.push({
      kind: 'evaluation',
      attempt: 1,
      step,
      evalLossNats: fall,
      supervisedTokens: 9811,
      elapsedMs: step * 2100,
    });
  }
  return rows;
}

const record: RunRecord = {
  schemaVersion: 1,
  id,
  kind: 'train',
  parents: [],
  createdAt: '2026-11-24T09:30:00.000Z',
  engine: 'embedded',
  objective: 'sft',
  model: {
    id: 'HuggingFaceTB/SmolLM2-135M-Instruct',
    path: '/home/user/.cache/huggingface/hub/models--HuggingFaceTB--SmolLM2-135M-Instruct/snapshots/12fd25f',
    format: 'safetensors',
    modelType: 'llama',
    sha256: '5e38c2ffb1b0c1a96d2a3b6ff2d1f1c7c9f5f1c6a2a0f7b2d8e6c4b3a2918070',
  },
  datasets: [
    {
      path: '/home/user/project/data/medical-questions.jsonl',
      sha256: '9b2e4d6f8a1c3e5f7a9b1d3f5e7c9a1b3d5f7e9c1a3b5d7f9e1c3a5b7d9f1e3c',
      snapshot: '9b2e4d6f8a1c3e5f',
      mapping: { kind: 'questionAnswer', fields: { question: 'question', answer: 'answer' } },
      mappingChosen: false,
    },
  ],
  hyperparameters: { ...defaultHyperparameters, rank: 8, learningRate: 5e-4, contextTokens: 256 },
  overrides: [],
  versions: { 'tuning-fork': '0.1.0', 'onnxruntime-node': '1.30.0', node: '20.20.2' },
  forecast: {
    totalSteps,
    trainRows: 900,
    heldOutRows: 100,
    tokensPerEpoch: 120_078,
    supervisedTokensPerEpoch: 88_304,
    peakMemoryBytes: 2.6 * 1024 ** 3,
    memoryLimitBytes: 12.4 * 1024 ** 3,
    plan: 'whole',
    baseWeights: 'float32',
  },
};

const status = (step: number, state: RunStatus['state'], more: Partial<RunStatus> = {}): RunStatus => {
  const evaluations = makeEvaluations(step);
  const best = evaluations.reduce((low, row) => (row.evalLossNats < low.evalLossNats ? row : low), evaluations[0]!);
  return {
    state,
    attempt: 1,
    step,
    totalSteps,
    phase: null,
    identity: null,
    heartbeatAt: '2026-11-24T09:34:00.000Z',
    lastProgressAt: '2026-11-24T09:34:00.000Z',
    bestStep: step > 0 ? best.step : null,
    bestEvalLossNats: step > 0 ? best.evalLossNats : null,
    stoppedEarly: false,
    error: null,
    ...more,
  };
};

const upToDate: Omit<TrackerLine, 'kind'> = {
  state: 'caughtUp',
  isDelivering: true,
  step: 120,
  hasLink: true,
  canSync: false,
  remarks: [],
  error: null,
  retryAt: null,
};

const running: RunState = {
  id,
  name: 'medical-questions',
  path: `/home/user/project/.tuning-fork/runs/${id}`,
  state: 'running',
  status: status(120, 'running'),
  record,
  pipeline: null,
  steps: makeSteps(120),
  evaluations: makeEvaluations(120),
  samples: [
    { attempt: 1, step: 0, prompt: 'What causes anaemia?', text: 'I am not sure. Anaemia anaemia anaemia.' },
    {
      attempt: 1,
      step: 95,
      prompt: 'What causes anaemia?',
      text: 'Anaemia is caused by too few red blood cells.\n\nIron deficiency is the most common cause.',
    },
  ],
  logTail: Array.from({ length: 40 }, (_, i) => {
    const step = 81 + i;
    return `09:3${Math.floor(step / 60)}:${String(step % 60).padStart(2, '0')} step ${step}/189 loss ${(1.9 - i * 0.004).toFixed(4)} lr 1.6e-4 305 tokens/s`;
  }),
  remote: null,
  remainingMs: 145_000,
  pendingControl: null,
  datasetChanged: false,
  datasetDifferences: null,
  canCompare: false,
  trackers: [],
  error: null,
};

const stageRun = (number: number, name: string) => `20261124-09${30 + number}00-medical-${name}-5c7${number}`;
const cell = (lossNats: number, changeNats: number | null = null) => ({ lossNats, changeNats });

const pipelineRunning: RunState = {
  ...running,
  name: 'medical',
  record: null,
  steps: [],
  evaluations: [],
  samples: [],
  remainingMs: null,
  status: status(2, 'running', { totalSteps: 4, bestStep: null, bestEvalLossNats: null }),
  pipeline: {
    file: '/home/user/project/medical.pipeline.yaml',
    stages: [
      {
        name: 'domain',
        state: 'reused',
        run: stageRun(0, 'domain'),
        runState: 'finished',
        steps: '400/400',
        detail: 'SmolLM2-135M-Instruct · sft · textbooks.jsonl',
      },
      {
        name: 'instructions',
        state: 'finished',
        run: stageRun(1, 'instructions'),
        runState: 'finished',
        steps: '189/189',
        detail: 'continue · sft · medical-questions.jsonl',
      },
      {
        name: 'preferences',
        state: 'training',
        run: stageRun(2, 'preferences'),
        runState: 'running',
        steps: '31/90',
        detail: 'merge · dpo · preferred-answers.jsonl',
      },
      {
        name: 'student',
        state: 'waiting',
        run: null,
        runState: null,
        steps: '',
        detail: 'SmolLM2-45M · logits of preferences · medical-questions.jsonl',
      },
    ],
    forgetting: {
      sets: ['domain', 'instructions'],
      rows: [
        { stage: 'domain', cells: [cell(2.1134), null] },
        { stage: 'instructions', cells: [cell(2.2871, 0.1737), cell(1.4203)] },
      ],
    },
  },
};

const finished: RunState = {
  ...running,
  state: 'finished',
  status: status(189, 'finished'),
  steps: makeSteps(189),
  evaluations: makeEvaluations(189),
  remainingMs: null,
  canCompare: true,
};

export const runSnapshots = {
  preparing: {
    ...running,
    state: 'preparing',
    record: null,
    status: status(0, 'preparing', { phase: { name: 'downloading weights', done: 41, total: 269 } }),
    steps: [],
    evaluations: [],
    samples: [],
    logTail: [],
    remainingMs: null,
  },
  queued: {
    ...running,
    state: 'queued',
    status: null,
    record: null,
    steps: [],
    evaluations: [],
    samples: [],
    logTail: [],
  },
  running,
  reported: {
    ...running,
    trackers: [
      { ...upToDate, kind: 'tensorboard' },
      {
        ...upToDate,
        kind: 'mlflow',
        state: 'waiting',
        step: 80,
        error: {
          code: 'tracker',
          message: 'http://tracking.example:5000/api/2.0/mlflow/runs/log-batch: expected an answer, got ECONNREFUSED',
          hint: 'Nothing is lost: it is tried again until the server answers.',
        },
        retryAt: '2026-11-24T09:35:00.000Z',
      },
      { ...upToDate, kind: 'wandb', state: 'reporting', isDelivering: false, step: 40 },
    ],
  },
  pausing: { ...running, pendingControl: 'pause' },
  paused: { ...running, state: 'paused', status: status(120, 'paused'), remainingMs: null },
  interrupted: { ...running, state: 'interrupted', remainingMs: null },
  finished,
  uploadable: {
    ...finished,
    trackers: [{ ...upToDate, kind: 'wandb', isDelivering: false, step: 189, canSync: true }],
  },
  preference: {
    ...running,
    record: { ...record, objective: 'dpo', hyperparameters: { ...record.hyperparameters, objective: 'dpo' } },
    steps: makeSteps(120).map((row, i) => ({
      ...row,
      rewardChosen: 0.01 * i,
      rewardRejected: -0.03 * i,
      rewardAccuracy: Math.min(1, 0.5 + i / 200),
      rewardMargin: 0.04 * i,
    })),
    evaluations: makeEvaluations(120).map(row => ({ ...row, rewardAccuracy: 0.875, rewardMargin: 1.2 })),
  },
  distillation: {
    ...running,
    record: {
      ...record,
      objective: 'distill',
      teacher: { ...record.model, id: 'HuggingFaceTB/SmolLM2-1.7B-Instruct' },
      hyperparameters: { ...record.hyperparameters, objective: 'distill' },
    },
    steps: makeSteps(120).map((row, i) => ({ ...row, crossEntropyNats: 3 - i / 100, divergenceNats: 1 / (i + 1) })),
  },
  pipelineRunning,
  pipelineFinished: {
    ...pipelineRunning,
    state: 'finished',
    status: status(4, 'finished', { totalSteps: 4, bestStep: null, bestEvalLossNats: null }),
    pipeline: {
      ...pipelineRunning.pipeline!,
      stages: pipelineRunning.pipeline!.stages.map((stage, i) => ({
        ...stage,
        state: i === 0 ? ('reused' as const) : ('finished' as const),
        run: stage.run ?? stageRun(3, 'student'),
        runState: 'finished' as const,
      })),
      forgetting: {
        sets: ['domain', 'instructions', 'preferences', 'student'],
        rows: [
          { stage: 'domain', cells: [cell(2.1134), null, null, null] },
          { stage: 'instructions', cells: [cell(2.2871, 0.1737), cell(1.4203), null, null] },
          { stage: 'preferences', cells: [cell(2.3012, 0.1878), cell(1.3961, -0.0242), cell(1.2203), null] },
          { stage: 'student', cells: [cell(2.9007), cell(1.7345), cell(1.6512), cell(1.7345)] },
        ],
      },
    },
  },
  pipelineFailed: {
    ...pipelineRunning,
    state: 'failed',
    name: 'everything-we-know-about-support-conversations-in-stages-with-a-student-at-the-end-and-preferences',
    status: status(2, 'failed', {
      totalSteps: 4,
      error: {
        code: 'not-finite',
        message: 'stage preferences: step 31: expected a finite loss, got NaN',
        hint: 'Lower the learning rate, then resume.',
      },
    }),
    pipeline: {
      ...pipelineRunning.pipeline!,
      stages: pipelineRunning.pipeline!.stages.map(stage => ({
        ...stage,
        name: `${stage.name}-with-a-name-of-full-length`,
        runState: stage.state === 'training' ? ('failed' as const) : stage.runState,
      })),
    },
  },
  pipelineWaiting: {
    ...pipelineRunning,
    state: 'preparing',
    status: status(0, 'preparing', { totalSteps: 0, phase: { name: 'checking data', done: 1, total: 4 } }),
    pipeline: {
      ...pipelineRunning.pipeline!,
      stages: pipelineRunning.pipeline!.stages.map(stage => ({
        ...stage,
        state: 'waiting' as const,
        run: null,
        runState: null,
        steps: '',
      })),
      forgetting: { sets: [], rows: [] },
    },
  },
  stoppedEarly: { ...finished, status: status(171, 'finished', { stoppedEarly: true }), steps: makeSteps(171) },
  failed: {
    ...running,
    state: 'failed',
    status: status(120, 'failed', {
      error: {
        code: 'not-finite',
        message: 'step 121: expected a finite loss, got NaN',
        hint: 'The gradient norm rose to 3.1e5 before: lower the learning rate, for example to 1e-4, and resume from step 114.',
      },
    }),
    remainingMs: null,
  },
  changedDataset: {
    ...finished,
    datasetChanged: true,
    datasetDifferences: {
      differenceCount: 14,
      differences: [
        {
          change: 'changed',
          line: 12,
          before: '{"question": "What is gout?", "answer": "A disease of the joints."}',
          after:
            '{"question": "What is gout?", "answer": "A form of arthritis caused by crystals of uric acid in the joints."}',
        },
        {
          change: 'removed',
          line: 204,
          before: '{"question": "What is flu?", "answer": "An infection."}',
          after: null,
        },
        {
          change: 'added',
          line: 1001,
          before: null,
          after: '{"question": "What is a stye?", "answer": "A sore of the eyelid."}',
        },
      ],
    },
  },
  longName: {
    ...running,
    name: 'customer-support-conversations-2025-cleaned-final-v3-with-a-longer-context-and-more-epochs-and-rank-64',
    error: {
      code: 'not-writable',
      message: 'control: expected to write into the run folder, got "read-only file system"',
    },
  },
  long: {
    ...finished,
    status: status(189, 'finished', { step: 100_000, totalSteps: 100_000, bestStep: 40_000 }),
    steps: makeSteps(100_000, 100_000),
    evaluations: makeEvaluations(100_000, 5000, 100_000),
  },
} satisfies Record<string, RunState>;
