/**
 * @file What passes between the host and its webview pages: complete snapshots down, typed messages up. Snapshots are
 * never deltas, because a hidden page loses messages. Both are schema-checked where they arrive.
 */
import { z } from 'zod';
import type { CheckReport } from './datasetChecks.ts';
import type { DatasetInspection, ForecastReport, RowDifference, RowTokens } from './datasetProtocol.ts';
import type { WireError } from './errors.ts';
import type { EvaluationResult } from './evaluationFiles.ts';
import { type EvaluationRows, rowFilterSchema } from './evaluationView.ts';
import { type Hyperparameters, hyperparameterNames, type SettingProblem } from './hyperparameters.ts';
import type { BestPrompt, GenerationStats, HeldOutRow } from './inferenceProtocol.ts';
import type { ForgettingTable, StageState } from './pipeline.ts';
import { presets } from './presets.ts';
import { mappingSchema, type RunRecord } from './recipe.ts';
import { type ReviewPage, reviewDecisions, reviewStates, type TokenHistogram } from './review.ts';
import { type EvaluationRow, type RunStatus, runIdPattern, type SampleRow, type StepRow } from './runFolder.ts';
import type { ShownState } from './runState.ts';
import type { SearchRecord } from './searchRecord.ts';
import type { StudySnapshot } from './studySnapshot.ts';
import type { Suggestion } from './suggestSettings.ts';
import { type TrackerKind, type TrackerState, trackerKinds } from './trackers.ts';

export interface ModelChoice {
  id: string;
  label: string;
  /** Size, folder or "downloaded on start". */
  detail: string;
}

export interface PythonSummary {
  state: 'ready' | 'missing' | 'broken';
  /** Of what is there: versions and accelerators, or what is amiss and its mend. */
  text: string;
  /** Why setting it up would pay on this machine; empty when it would not, or is done. */
  offer: string;
}

/** The sidebar's hyperparameter form. */
export interface FormState {
  trusted: boolean;
  dataset: { path: string; name: string } | null;
  inspection: DatasetInspection | null;
  inspecting: boolean;
  runName: string;
  model: string;
  /** Of a distillation; empty until one is named. */
  teacher: string;
  /** The adapters that training starts from: none, one that it goes on training, or some beneath a new one. */
  start: { mode: 'fresh' | 'continue' | 'stack'; adapters: { path: string; label: string }[] };
  models: ModelChoice[];
  values: Hyperparameters;
  /** What suits this model and dataset; null while one of them is not known. */
  suggestion: Suggestion | null;
  /** What is known of the PyTorch engine's Python; null until it was looked for. */
  python: PythonSummary | null;
  /** Problems of the values as typed, by name; `model` and `dataset` included. */
  problems: SettingProblem[];
  forecast: ForecastReport | null;
  forecasting: boolean;
  overrides: string[];
  /** One row as the model sees it, when asked for. */
  row: RowTokens | null;
  starting: boolean;
  /** Where the run is to be reported. */
  trackers: TrackerChoice[];
  error: WireError | null;
}

/** A pipeline's stages, and what they forgot. */
export interface PipelineView {
  file: string;
  stages: {
    name: string;
    state: StageState;
    /** Id of its run, once there is one. */
    run: string | null;
    /** Of that run; null while it is not known. */
    runState: ShownState | null;
    /** `12/300`; empty while it is not known. */
    steps: string;
    detail: string;
  }[];
  forgetting: ForgettingTable;
}

export interface TrackerChoice {
  kind: TrackerKind;
  on: boolean;
  /** The place, or which setting names it. */
  detail: string;
  isReady: boolean;
}

/** Where a run is reported, and how far that is. */
export interface TrackerLine {
  kind: TrackerKind;
  state: TrackerState | 'notBegun';
  /** A process is at it. */
  isDelivering: boolean;
  /** Newest step that has arrived. */
  step: number | null;
  /** Something can be opened. */
  hasLink: boolean;
  /** An offline run can be uploaded. */
  canSync: boolean;
  remarks: string[];
  error: WireError | null;
  retryAt: string | null;
}

/** A run's panel. */
export interface RunState {
  id: string;
  name: string;
  path: string;
  state: ShownState;
  status: RunStatus | null;
  record: RunRecord | null;
  /** Of a pipeline: its stages in place of curves. */
  pipeline: PipelineView | null;
  steps: StepRow[];
  evaluations: EvaluationRow[];
  samples: SampleRow[];
  logTail: string[];
  /** Milliseconds to the end at the present speed; null when unknown. */
  remainingMs: number | null;
  /** The other machine that works on it, and how long nothing was heard of it. */
  remote: { host: string; quietMs: number } | null;
  /** What the user asked for and the trainer has not finished. */
  pendingControl: 'pause' | 'stop' | 'checkpoint' | 'resume' | null;
  /** The dataset file differs from what the run was trained on. */
  datasetChanged: boolean;
  datasetDifferences: { differences: RowDifference[]; differenceCount: number } | null;
  canCompare: boolean;
  trackers: TrackerLine[];
  /** Of what was asked for here; why the run itself failed stands in `status`. */
  error: WireError | null;
}

export interface Answer {
  text: string;
  stats: GenerationStats | null;
  running: boolean;
  error: WireError | null;
}

/** The compare panel: one prompt, three answers. */
export interface CompareState {
  model: string;
  /** Adapters of this base that can be switched without reloading it. */
  adapters: { run: string; name: string }[];
  adapter: string | null;
  loading: { phase: string; done: number; total: number } | null;
  bestPrompt: BestPrompt | null;
  searching: { done: number; total: number } | null;
  prompt: string;
  settings: { maxTokens: number; temperature: number; seed: number };
  answers: { base: Answer; prompted: Answer; adapter: Answer };
  running: boolean;
  heldOut: { row: HeldOutRow; total: number } | null;
  error: WireError | null;
}

/** A search's panel. */
export interface StudyState {
  id: string;
  name: string;
  path: string;
  state: ShownState;
  status: RunStatus | null;
  record: SearchRecord | null;
  study: StudySnapshot | null;
  pendingControl: RunState['pendingControl'];
  hasReport: boolean;
  /** The winner's adapter is there. */
  canCompare: boolean;
  /** Of what was asked for here; why the search itself failed stands in `status`. */
  error: WireError | null;
}

/** A dataset's panel. */
export interface DatasetState {
  path: string;
  name: string;
  inspection: DatasetInspection | null;
  lengths: TokenHistogram | null;
  checks: CheckReport | null;
  review: ReviewPage | null;
  /** What is going on, in words; null when nothing is. */
  busy: string | null;
  error: WireError | null;
}

/** An evaluation's panel. */
export interface EvaluationState {
  id: string;
  name: string;
  path: string;
  state: ShownState;
  status: RunStatus | null;
  /** Of the base model; empty while it is not known. */
  model: string;
  /** Rows that are judged; null before they were read. */
  rowCount: number | null;
  candidates: { id: string; kind: string; label: string }[];
  /** Null until it has ended. */
  result: EvaluationResult | null;
  rows: EvaluationRows;
  pendingControl: RunState['pendingControl'];
  hasReport: boolean;
  /** Of what was asked for here; why the evaluation itself failed stands in `status`. */
  error: WireError | null;
}

export type PageState =
  | { type: 'dataset/state'; state: DatasetState }
  | { type: 'form/state'; state: FormState }
  | { type: 'run/state'; state: RunState }
  | { type: 'compare/state'; state: CompareState }
  | { type: 'study/state'; state: StudyState }
  | { type: 'evaluation/state'; state: EvaluationState };

const empty = <T extends string>(type: T) => z.strictObject({ type: z.literal(type) });

export const formMessageSchema = z.discriminatedUnion('type', [
  empty('page/ready'),
  z.strictObject({
    type: z.literal('form/set'),
    name: z.enum(hyperparameterNames as [string, ...string[]]),
    text: z.string(),
  }),
  z.strictObject({ type: z.literal('form/name'), name: z.string() }),
  z.strictObject({ type: z.literal('form/model'), model: z.string() }),
  z.strictObject({ type: z.literal('form/teacher'), teacher: z.string() }),
  z.strictObject({ type: z.literal('form/mapping'), mapping: mappingSchema.nullable() }),
  z.strictObject({ type: z.literal('form/override'), name: z.string(), on: z.boolean() }),
  z.strictObject({ type: z.literal('form/showRow'), row: z.number().int().min(0) }),
  z.strictObject({ type: z.literal('form/openLine'), line: z.number().int().min(1) }),
  empty('form/chooseDataset'),
  empty('form/chooseModel'),
  empty('form/chooseTeacher'),
  z.strictObject({ type: z.literal('form/startMode'), mode: z.enum(['fresh', 'continue', 'stack']) }),
  empty('form/addAdapter'),
  z.strictObject({ type: z.literal('form/removeAdapter'), path: z.string() }),
  z.strictObject({ type: z.literal('form/suggest'), on: z.boolean() }),
  z.strictObject({ type: z.literal('form/tracker'), kind: z.enum(trackerKinds), on: z.boolean() }),
  empty('form/fit'),
  /** How long the run will take, by a short trial. */
  empty('form/measure'),
  z.strictObject({ type: z.literal('form/preset'), id: z.enum(presets.map(({ id }) => id)) }),
  empty('form/setUpPyTorch'),
  empty('form/reset'),
  empty('form/trust'),
  empty('form/start'),
  /** "Find the best": a search over models and settings. */
  empty('form/findBest'),
]);
export type FormMessage = z.infer<typeof formMessageSchema>;

export const runMessageSchema = z.discriminatedUnion('type', [
  empty('page/ready'),
  z.strictObject({ type: z.literal('run/control'), action: z.enum(['pause', 'resume', 'stop', 'checkpoint']) }),
  empty('run/compare'),
  empty('run/again'),
  empty('run/reveal'),
  empty('run/showLog'),
  empty('run/showDifferences'),
  z.strictObject({ type: z.literal('run/openStage'), run: z.string() }),
  z.strictObject({ type: z.literal('run/restartStage'), stage: z.string() }),
  empty('run/openPipeline'),
  z.strictObject({
    type: z.literal('run/tracker'),
    kind: z.enum(trackerKinds),
    action: z.enum(['open', 'catchUp', 'sync']),
  }),
]);
export type RunMessage = z.infer<typeof runMessageSchema>;

export const studyMessageSchema = z.discriminatedUnion('type', [
  empty('page/ready'),
  z.strictObject({ type: z.literal('study/control'), action: z.enum(['pause', 'resume', 'stop']) }),
  /** The id of a trial's run. */
  z.strictObject({ type: z.literal('study/openTrial'), run: z.string().regex(runIdPattern) }),
  empty('study/report'),
  empty('study/compare'),
  empty('study/reveal'),
]);
export type StudyMessage = z.infer<typeof studyMessageSchema>;

export const datasetMessageSchema = z.discriminatedUnion('type', [
  empty('page/ready'),
  empty('dataset/check'),
  empty('dataset/clean'),
  empty('dataset/fineTune'),
  z.strictObject({ type: z.literal('dataset/openLine'), file: z.string(), line: z.number().int().min(1) }),
  z.strictObject({
    type: z.literal('dataset/showReview'),
    state: z.enum(reviewStates),
    offset: z.number().int().min(0),
  }),
  z.strictObject({
    type: z.literal('dataset/decide'),
    key: z.string().regex(/^[0-9a-f]{16}$/),
    decision: z.enum(reviewDecisions),
    note: z.string().max(10_000),
    answer: z.string().max(1_000_000).nullable(),
  }),
]);
export type DatasetMessage = z.infer<typeof datasetMessageSchema>;

export const evaluationMessageSchema = z.discriminatedUnion('type', [
  empty('page/ready'),
  z.strictObject({ type: z.literal('evaluation/control'), action: z.enum(['pause', 'resume', 'stop']) }),
  z.strictObject({ type: z.literal('evaluation/filter'), filter: rowFilterSchema }),
  z.strictObject({ type: z.literal('evaluation/openRow'), row: z.number().int().min(0).nullable() }),
  empty('evaluation/report'),
  /** The report as a page of its own, in the browser. */
  empty('evaluation/browse'),
  empty('evaluation/reveal'),
]);
export type EvaluationMessage = z.infer<typeof evaluationMessageSchema>;

export const compareMessageSchema = z.discriminatedUnion('type', [
  empty('page/ready'),
  z.strictObject({ type: z.literal('compare/adapter'), run: z.string() }),
  z.strictObject({ type: z.literal('compare/prompt'), prompt: z.string() }),
  z.strictObject({
    type: z.literal('compare/settings'),
    maxTokens: z.number().int().min(1).max(8192),
    temperature: z.number().min(0).max(5),
    seed: z.number().int().min(0),
  }),
  z.strictObject({
    type: z.literal('compare/editPrompt'),
    system: z.string(),
    examples: z.array(z.strictObject({ question: z.string(), answer: z.string(), line: z.number() })),
  }),
  empty('compare/searchPrompt'),
  empty('compare/run'),
  empty('compare/cancel'),
  z.strictObject({ type: z.literal('compare/heldOut'), index: z.number().int().min(0) }),
]);
export type CompareMessage = z.infer<typeof compareMessageSchema>;
