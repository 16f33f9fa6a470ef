/** @file Recorded states of a search's page. */
import { defaultHyperparameters } from '../../../src/shared/hyperparameters.ts';
import type { StudyState } from '../../../src/shared/pages.ts';
import type { RunStatus } from '../../../src/shared/runFolder.ts';
import type { SearchRecord } from '../../../src/shared/searchRecord.ts';
import type { ShownTrial, StudySnapshot } from '../../../src/shared/studySnapshot.ts';

const id = '20261124-150000-medquad-4a1c';
const layers = ['q_proj,v_proj', 'q_proj,k_proj,v_proj,o_proj', 'all'];

const record: SearchRecord = {
  schemaVersion: 1,
  id,
  kind: 'search',
  parents: [],
  createdAt: '2026-11-24T15:00:00.000Z',
  model: { id: 'tiny', path: '/models/tiny', format: 'safetensors', modelType: 'llama', sha256: 'b'.repeat(64) },
  datasets: [
    {
      path: '/data/medquad.jsonl',
      sha256: 'c'.repeat(64),
      snapshot: 'a'.repeat(64),
      mapping: { kind: 'questionAnswer', fields: { question: 'question', answer: 'answer' } },
      mappingChosen: false,
    },
  ],
  base: {
    name: 'medquad',
    model: 'tiny',
    datasets: [{ path: '/data/medquad.jsonl', mapping: null }],
    hyperparameters: defaultHyperparameters,
    overrides: [],
    parents: [],
  },
  settings: {
    space: [
      { name: 'learningRate', distribution: { kind: 'real', low: 2.5e-5, high: 1.6e-3, log: true } },
      { name: 'rank', distribution: { kind: 'integer', low: 4, high: 64, log: true } },
      { name: 'targetModules', distribution: { kind: 'choice', choices: layers } },
      { name: 'dropout', distribution: { kind: 'real', low: 0, high: 0.2, log: false } },
      { name: 'epochs', distribution: { kind: 'integer', low: 1, high: 5, log: false } },
      { name: 'batchRows', distribution: { kind: 'integer', low: 2, high: 8, log: true } },
    ],
    offersDataChoices: false,
    budget: { trials: 12, minutes: null, tokens: null },
    sampler: 'tpe',
    pruner: 'halving',
    metric: 'heldOutLoss',
    winner: 'keep',
    parallel: null,
    seed: 42,
  },
  automatic: null,
  versions: {},
  forecast: {
    totalSteps: 90,
    trainRows: 400,
    heldOutRows: 50,
    tokensPerEpoch: 40_000,
    supervisedTokensPerEpoch: 20_000,
    peakMemoryBytes: 1e9,
    memoryLimitBytes: 4e9,
    plan: 'whole',
    baseWeights: 'float32',
  },
};

function status(changes: Partial<RunStatus>): RunStatus {
  return {
    state: 'running',
    attempt: 1,
    step: 5,
    totalSteps: 12,
    phase: null,
    identity: null,
    heartbeatAt: '2026-11-24T15:09:00.000Z',
    lastProgressAt: '2026-11-24T15:09:00.000Z',
    bestStep: 4,
    bestEvalLossNats: 1.9,
    stoppedEarly: false,
    error: null,
    ...changes,
  };
}

/** Some that are complete, some that were ended early; the numbers of a made-up landscape. */
export function makeTrials(count: number): ShownTrial[] {
  return Array.from({ length: count }, (_, number) => {
    const turn = (number * 7) % 12;
    const isPruned = number % 4 === 3;
    const value = 1.85 + 0.03 * turn;
    const last = isPruned ? 50 : 100;
    return {
      number,
      state: isPruned ? 'pruned' : 'complete',
      run: `20261124-1500${String(10 + (number % 50))}-medquad-trial-${number}-0a1b`,
      settings: {
        learningRate: String(Number((2.5e-5 * 1.42 ** (12 - turn)).toPrecision(6))),
        rank: String(4 + ((number * 5) % 60)),
        targetModules: layers[(turn * 2) % 3]!,
        dropout: String(Number((0.016 * turn).toFixed(3))),
        epochs: String(1 + (turn % 5)),
        batchRows: String([2, 4, 8][number % 3]),
      },
      value: isPruned ? null : value,
      curve: Array.from({ length: last / 10 }, (_, i) => [10 * (i + 1), value + 1.2 / (i + 1)]),
    };
  });
}

const importance = [
  { name: 'learningRate', share: 0.58 },
  { name: 'targetModules', share: 0.21 },
  { name: 'rank', share: 0.11 },
  { name: 'epochs', share: 0.06 },
  { name: 'dropout', share: 0.03 },
  { name: 'batchRows', share: 0.01 },
];

const study = (changes: Partial<StudySnapshot>): StudySnapshot => ({
  direction: 'minimize',
  trials: [],
  importance: [],
  best: null,
  winner: null,
  elapsedMs: 540_000,
  tokens: 400_000,
  ...changes,
});

const running: StudyState = {
  id,
  name: 'medquad',
  path: `/data/.tuning-fork/runs/${id}`,
  state: 'running',
  status: status({}),
  record,
  study: study({
    trials: [
      ...makeTrials(6),
      {
        ...makeTrials(7)[6]!,
        state: 'running',
        value: null,
        curve: [
          [10, 2.9],
          [20, 2.4],
        ],
      },
    ],
    importance,
    best: 0,
  }),
  pendingControl: null,
  hasReport: false,
  canCompare: false,
  error: null,
};

const trials = makeTrials(12);
const longName = 'support-tickets-of-all-regions-2024-and-2025-cleaned-without-duplicates-and-personal-data-v17-final';

export const studySnapshots: Record<string, StudyState> = {
  none: { ...running, state: 'queued', status: null, record: null, study: null },
  preparing: {
    ...running,
    state: 'preparing',
    status: status({ state: 'preparing', phase: { name: 'tokenising', done: 120, total: 500 } }),
    record: null,
    study: null,
  },
  empty: { ...running, study: study({}) },
  oneTrial: { ...running, study: study({ trials: makeTrials(1), best: 0 }) },
  running,
  paused: { ...running, state: 'paused', status: status({ state: 'paused' }) },
  finished: {
    ...running,
    state: 'finished',
    status: status({ state: 'finished', step: 12 }),
    study: study({
      trials,
      importance,
      best: 0,
      winner: {
        trial: 0,
        run: trials[0]!.run!,
        retrained: false,
        testLossNats: 1.874,
        baseTestLossNats: 3.412,
        testRows: 50,
      },
    }),
    hasReport: true,
    canCompare: true,
  },
  failedTrials: {
    ...running,
    state: 'failed',
    status: status({
      state: 'failed',
      error: {
        code: 'memory',
        message: 'memory: expected at most 1.2 GiB, got 3.4 GiB',
        hint: 'Lower batchRows or contextTokens.',
      },
    }),
    study: study({ trials: makeTrials(3).map(trial => ({ ...trial, state: 'failed', value: null, curve: [] })) }),
  },
  longNames: {
    ...running,
    name: longName,
    record: {
      ...record,
      model: { ...record.model, id: `organisation-with-a-long-name/${longName}` },
      settings: {
        ...record.settings,
        space: [
          ...record.settings.space,
          { name: 'gradientAccumulation', distribution: { kind: 'integer', low: 1, high: 8, log: true } },
          { name: 'adaOrthogonality', distribution: { kind: 'real', low: 0, high: 100, log: false } },
        ],
      },
    },
  },
};
