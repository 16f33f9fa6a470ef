/** @file The run folder's names and the schemas of its files: the contract between every engine and every reader. */
import { z } from 'zod';
import { errorCodes } from './errors.ts';

/** Names under `.tuning-fork/`. */
export const storeNames = { datasets: 'datasets', runs: 'runs' } as const;

/** Names under `.tuning-fork/runs/<id>/`. */
export const runNames = {
  /** What was asked for; there from the first moment, before anything was read. */
  request: 'request.json',
  run: 'run.json',
  notes: 'notes.json',
  status: 'status.json',
  metrics: 'metrics.jsonl',
  samples: 'samples.jsonl',
  log: 'log.txt',
  /** What each process of an engine of several said. */
  rankLogs: 'logs',
  control: 'control',
  /** Copies of the adapters that training starts from. */
  start: 'start',
  /** Where a run with `device: auto` computes; chosen once. */
  device: 'device.json',
  /** Whether a run on a device that is not the CPU computes in half precision; chosen once. */
  precision: 'precision.json',
  checkpoints: 'checkpoints',
  adapter: 'adapter',
  model: 'model',
  /** Of a pipeline: how far its stages are, and what they forgot. */
  pipeline: 'pipeline.json',
  /** Of a pipeline: what its stages are given that is made on the way. */
  stages: 'stages',
  comparisons: 'comparisons',
  evaluations: 'evaluations',
  /** Where the run is reported: targets in the file, what has arrived in `trackers/<kind>.json`. */
  trackersFile: 'trackers.json',
  trackers: 'trackers',
  /** Offline runs of Weights & Biases. */
  wandb: 'wandb',
  cache: 'cache',
} as const;

/** `20261124-093000-medquad-1f3a` */
export const runIdPattern = /^\d{8}-\d{6}-[a-z0-9-]{1,40}-[0-9a-f]{4}$/;
/** `step-000100` */
export const checkpointNamePattern = /^step-(\d{6,})$/;
export const checkpointName = (step: number): string => `step-${String(step).padStart(6, '0')}`;

export const writtenStates = [
  'queued',
  'preparing',
  'running',
  'pausing',
  'paused',
  'stopping',
  'finished',
  'stopped',
  'failed',
] as const;
export type WrittenState = (typeof writtenStates)[number];

/** Who runs it. Never trusted alone: only the per-user process registry makes a pid ours. */
export const identitySchema = z.strictObject({
  pid: z.number().int().positive(),
  /** The operating system's own start time of the process, as text (Linux: clock ticks since boot). */
  startTime: z.string(),
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
  /** Name of the machine; a pid means nothing on another one. Absent in runs of before there were many machines. */
  host: z.string().min(1).max(255).optional(),
});
export type ProcessIdentity = z.infer<typeof identitySchema>;

export const wireErrorSchema = z.strictObject({
  code: z.enum(errorCodes),
  message: z.string(),
  hint: z.string().optional(),
  file: z.string().optional(),
  line: z.number().int().optional(),
});

export const statusSchema = z.strictObject({
  state: z.enum(writtenStates),
  /** 1 for the first try; each resume adds one. */
  attempt: z.number().int().min(1),
  step: z.number().int().min(0),
  totalSteps: z.number().int().min(0),
  /** What a preparing run is doing: `reading`, `tokenising`, `loading weights`... */
  phase: z.strictObject({ name: z.string(), done: z.number(), total: z.number() }).nullable(),
  identity: identitySchema.nullable(),
  heartbeatAt: z.string(),
  lastProgressAt: z.string(),
  bestStep: z.number().int().nullable(),
  bestEvalLossNats: z.number().nullable(),
  stoppedEarly: z.boolean(),
  error: wireErrorSchema.nullable(),
});
export type RunStatus = z.infer<typeof statusSchema>;

export const notesSchema = z.strictObject({
  name: z.string(),
  tags: z.array(z.string()),
  note: z.string(),
  pinned: z.boolean(),
});
export type RunNotes = z.infer<typeof notesSchema>;

/** What an objective measures beside its loss, as means: preference tuning its rewards in nats, distillation its two parts. */
const measuresShape = {
  /** beta x log-ratio of policy and reference for the chosen and for the rejected answer. */
  rewardChosen: z.number().optional(),
  rewardRejected: z.number().optional(),
  /** Share of the pairs whose chosen answer has the higher reward, 0..1. */
  rewardAccuracy: z.number().optional(),
  rewardMargin: z.number().optional(),
  /** Loss on the dataset's own tokens. */
  crossEntropyNats: z.number().optional(),
  /** Kullback-Leibler divergence of the student from the teacher, both at the distillation's temperature. */
  divergenceNats: z.number().optional(),
};
const measuresSchema = z.object(measuresShape);
export type Measures = z.infer<typeof measuresSchema>;
export const measureNames = Object.keys(measuresShape) as (keyof Measures)[];

/** One optimizer step. */
export const stepRowSchema = z.strictObject({
  kind: z.literal('step'),
  attempt: z.number().int(),
  step: z.number().int(),
  epoch: z.number(),
  /** Mean over the step's supervised tokens (preference tuning: over its pairs). */
  lossNats: z.number(),
  learningRate: z.number(),
  gradNorm: z.number(),
  supervisedTokens: z.number().int(),
  /** All tokens that are not padding, a second of training time. */
  tokensPerSecond: z.number(),
  elapsedMs: z.number(),
  peakRssBytes: z.number(),
  /** Of half precision: what the loss was multiplied by on the way back, and whether the gradients overflowed, so that nothing changed. */
  lossScale: z.number().optional(),
  isSkipped: z.boolean().optional(),
  ...measuresShape,
});
export type StepRow = z.infer<typeof stepRowSchema>;

/** One held-out evaluation; step 0 is the base model. */
export const evaluationRowSchema = z.strictObject({
  kind: z.literal('evaluation'),
  attempt: z.number().int(),
  step: z.number().int(),
  evalLossNats: z.number(),
  supervisedTokens: z.number().int(),
  elapsedMs: z.number(),
  ...measuresShape,
});
export type EvaluationRow = z.infer<typeof evaluationRowSchema>;

export const metricsRowSchema = z.discriminatedUnion('kind', [stepRowSchema, evaluationRowSchema]);

export const sampleRowSchema = z.strictObject({
  attempt: z.number().int(),
  step: z.number().int(),
  prompt: z.string(),
  text: z.string(),
});
export type SampleRow = z.infer<typeof sampleRowSchema>;

export const controlRequestSchema = z.strictObject({ type: z.enum(['pause', 'stop', 'checkpoint']) });
export type ControlRequest = z.infer<typeof controlRequestSchema>;

/** `control/<id>.json` is answered by `<id>.seen.json` (taken up, within a second), then `<id>.done.json`. */
export const controlAnswerSchema = z.union([
  z.strictObject({ ok: z.literal(true) }),
  z.strictObject({ error: wireErrorSchema }),
]);
export type ControlAnswer = z.infer<typeof controlAnswerSchema>;

/** datasets/<sha256>/split.json */
export const splitNames = ['train', 'heldOut', 'test'] as const;
export type SplitName = (typeof splitNames)[number];
