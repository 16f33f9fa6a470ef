/** @file Recorded states of an evaluation's page. */
import type { MetricName } from '../../../src/shared/evaluation.ts';
import type { EvaluationResult, MeasuredMetric } from '../../../src/shared/evaluationFiles.ts';
import type { EvaluationState } from '../../../src/shared/pages.ts';
import type { RunStatus } from '../../../src/shared/runFolder.ts';

const id = '20261124-150000-judge-medquad-7c2e';
const longName = 'a-name-that-goes-on-and-on-because-somebody-wrote-down-every-setting-of-the-run-in-it-9f1c';

const status: RunStatus = {
  state: 'finished',
  attempt: 1,
  step: 4,
  totalSteps: 4,
  phase: null,
  identity: null,
  heartbeatAt: '2026-11-24T15:20:00.000Z',
  lastProgressAt: '2026-11-24T15:20:00.000Z',
  bestStep: null,
  bestEvalLossNats: null,
  stoppedEarly: false,
  error: null,
};

const candidates = [
  { id: 'base', kind: 'base', label: 'Base model' },
  { id: 'prompted', kind: 'prompted', label: 'Base with its best prompt' },
  { id: 'adapter-1', kind: 'adapter', label: 'medquad-1f3a' },
];

function metric(
  name: MetricName,
  values: readonly number[],
  width: number,
  note: string | null = null,
): MeasuredMetric {
  const ids = candidates.map(candidate => candidate.id);
  const pairs = [
    [1, 0],
    [2, 0],
    [2, 1],
  ] as const;
  return {
    name,
    note,
    values: values.map((value, i) => ({
      candidate: ids[i]!,
      value,
      low: value - width,
      high: value + width,
      rows: 80,
    })),
    differences: pairs.map(([first, second]) => ({
      first: ids[first]!,
      second: ids[second]!,
      difference: values[first]! - values[second]!,
      low: values[first]! - values[second]! - width,
      high: values[first]! - values[second]! + width,
      p: 0.01,
      adjustedP: Math.abs(values[first]! - values[second]!) > width ? 0.0006 : 0.21,
      wins: 41,
      ties: 20,
      losses: 19,
    })),
  };
}

const result: EvaluationResult = {
  version: 1,
  rows: 80,
  questions: 80,
  resamples: 10_000,
  seed: 42,
  candidates: candidates.map(candidate => ({
    ...candidate,
    detail: candidate.kind === 'prompted' ? '4 examples' : null,
  })),
  metrics: [
    metric('loss', [2.91, 2.74, 1.88], 0.09),
    metric('perplexity', [18.4, 15.5, 6.55], 1.2),
    metric('exactMatch', [0, 0, 0.025], 0.02),
    metric('tokenF1', [0.214, 0.262, 0.391], 0.03),
    metric('rougeL', [0.141, 0.18, 0.302], 0.03),
    metric(
      'termAccuracy',
      [0.31, 0.36, 0.52],
      0.06,
      '52 of 80 references hold a glossary term that their question does not.',
    ),
    metric('relevance', [0.41, 0.44, 0.47], 0.04),
    metric('secondsPerAnswer', [1.92, 1.71, 1.1], 0.2, 'Over 8 answers, one at a time.'),
  ],
  findings: [
    {
      code: 'better',
      tone: 'good',
      message: 'medquad-1f3a answers better than the base model with its best prompt.',
      reason: 'On 5 of 6 measures of quality, and worse on none.',
    },
  ],
  glossaryTerms: 5126,
  labels: null,
  judge: null,
};

const question = (i: number) => `What are the symptoms of condition number ${i}, and how is it told from others?`;
const listed = Array.from({ length: 25 }, (_, i) => ({
  row: i,
  line: 3 * i + 1,
  question: question(i),
  scores: { base: 0.2 + (i % 5) / 20, prompted: 0.25 + (i % 4) / 20, 'adapter-1': 0.3 + (i % 7) / 20 },
}));
const reference = 'The symptoms are fever, a stiff neck and headache. Call a doctor at once.';
const opened = {
  row: 0,
  line: 1,
  question: question(0),
  reference,
  answers: [
    {
      candidate: 'base',
      text: 'Symptoms of this condition can be many things, such as fever.',
      end: 'length' as const,
    },
    { candidate: 'prompted', text: 'The symptoms are fever and cough.', end: 'end' as const },
    {
      candidate: 'adapter-1',
      text: 'The symptoms are fever, a stiff neck and vomiting. Call a doctor.',
      end: 'end' as const,
    },
  ],
};

const finished: EvaluationState = {
  id,
  name: 'judge medquad',
  path: `/ws/.tuning-fork/runs/${id}`,
  state: 'finished',
  status,
  model: '/models/SmolLM2-135M-Instruct.Q4_1.gguf',
  rowCount: 80,
  candidates,
  result,
  rows: {
    filter: { candidate: 'adapter-1', opponent: 'prompted', choice: 'all', offset: 0 },
    rows: listed,
    total: 80,
    opened: null,
  },
  pendingControl: null,
  hasReport: true,
  error: null,
};

const noRows = { ...finished.rows, rows: [], total: 0 };

export const evaluationSnapshots = {
  finished,
  opened: { ...finished, rows: { ...finished.rows, opened } },
  worse: {
    ...finished,
    rows: {
      ...finished.rows,
      filter: { ...finished.rows.filter, choice: 'worse' as const },
      rows: listed.slice(0, 3),
      total: 3,
    },
  },
  queued: {
    ...finished,
    state: 'queued' as const,
    status: null,
    rowCount: null,
    result: null,
    rows: noRows,
    hasReport: false,
  },
  running: {
    ...finished,
    state: 'running' as const,
    status: {
      ...status,
      state: 'running' as const,
      step: 1,
      phase: { name: 'answering: Base model', done: 32, total: 80 },
    },
    result: null,
    rows: { ...finished.rows, rows: listed.map(row => ({ ...row, scores: row.row < 16 ? { base: 0.2 } : {} })) },
    hasReport: false,
  },
  failed: {
    ...finished,
    state: 'failed' as const,
    status: {
      ...status,
      state: 'failed' as const,
      error: {
        code: 'endpoint-failed' as const,
        message: 'wise at http://127.0.0.1:8080/v1: expected an answer, got HTTP 401',
        hint: 'Check the key and that it may use this model.',
      },
    },
    result: null,
    hasReport: false,
  },
  longNames: {
    ...finished,
    name: `judge ${longName}`,
    candidates: candidates.map(candidate => ({ ...candidate, label: `${candidate.label} ${longName}` })),
    result: {
      ...result,
      candidates: result.candidates.map(candidate => ({ ...candidate, label: `${candidate.label} ${longName}` })),
    },
    rows: { ...finished.rows, rows: listed.map(row => ({ ...row, question: `${longName} ${row.question}` })), opened },
  },
} satisfies Record<string, EvaluationState>;
