/** @file Schemas of the snapshots that the host sends down to its pages: a page draws nothing that it did not check. */
import { z } from 'zod';
import { checkReportSchema } from './datasetChecks.ts';
import { datasetFormats } from './datasetFormats.ts';
import type { ForecastReport } from './datasetProtocol.ts';
import { engines } from './engineChoice.ts';
import { evaluationResultSchema } from './evaluationFiles.ts';
import { evaluationRowsSchema } from './evaluationView.ts';
import { hyperparametersSchema } from './hyperparameters.ts';
import type { CompareState, DatasetState, EvaluationState, FormState, RunState, StudyState } from './pages.ts';
import { stageStates } from './pipeline.ts';
import { forecastSchema, mappingSchema, runRecordSchema } from './recipe.ts';
import { reviewStates } from './review.ts';
import {
  type EvaluationRow,
  evaluationRowSchema,
  type StepRow,
  sampleRowSchema,
  statusSchema,
  stepRowSchema,
  wireErrorSchema,
  writtenStates,
} from './runFolder.ts';
import { searchRecordSchema } from './searchRecord.ts';
import { studySnapshotSchema } from './studySnapshot.ts';
import { trackerKinds, trackerStates } from './trackers.ts';

const error = wireErrorSchema.nullable();
const count = z.number().int().min(0);
const shownState = z.enum([...writtenStates, 'interrupted']);
const progress = z.object({ done: z.number(), total: z.number() });

const inspection = z.object({
  path: z.string(),
  fileBytes: z.number(),
  format: z.enum(datasetFormats),
  encoding: z.string(),
  fileCount: count,
  mapping: mappingSchema,
  mappingChosen: z.boolean(),
  mappingReason: z.string(),
  fields: z.array(z.string()),
  rows: count,
  usableRows: count,
  problemCount: count,
  problems: z.array(
    z.object({
      file: z.string(),
      line: z.number().nullable(),
      code: z.string(),
      message: z.string(),
      fix: z.string(),
    }),
  ),
  firstRows: z.array(z.object({ line: z.number(), prompt: z.string(), answer: z.string() })),
  tokens: z.object({ total: count, supervised: count, longestRow: count, rowsOverContext: count }).nullable(),
  model: z.object({ hiddenSize: count, parameterCount: count, maxContextTokens: count }).nullable(),
});

const partialHyperparameters = hyperparametersSchema.partial();
const forecastReport = z.object({
  forecast: forecastSchema.nullable(),
  trainingMs: z.number().nullable(),
  fit: z.custom<ForecastReport['fit']>(value => value === null || partialHyperparameters.safeParse(value).success),
  canStart: z.boolean(),
  findings: z.array(
    z.object({ code: z.string(), message: z.string(), remedy: z.string(), override: z.string().nullable() }),
  ),
  engine: z.object({ engine: z.enum(engines), reason: z.string() }).optional(),
  error,
});

export const datasetStateSchema: z.ZodType<DatasetState> = z.object({
  path: z.string(),
  name: z.string(),
  inspection: inspection.nullable(),
  lengths: z
    .object({ model: z.string(), contextTokens: count, edges: z.array(count), counts: z.array(count) })
    .nullable(),
  checks: checkReportSchema.nullable(),
  review: z
    .object({
      counts: z.object({
        rows: count,
        accepted: count,
        edited: count,
        rejected: count,
        pending: count,
        orphaned: count,
      }),
      state: z.enum(reviewStates),
      offset: count,
      total: count,
      rows: z.array(
        z.object({
          key: z.string(),
          file: z.string(),
          line: count,
          state: z.enum(reviewStates),
          reviewer: z.string(),
          note: z.string(),
          messages: z.array(z.object({ role: z.string(), content: z.string() })),
        }),
      ),
    })
    .nullable(),
  busy: z.string().nullable(),
  error,
});

export const formStateSchema: z.ZodType<FormState> = z.object({
  trusted: z.boolean(),
  dataset: z.object({ path: z.string(), name: z.string() }).nullable(),
  inspection: inspection.nullable(),
  inspecting: z.boolean(),
  runName: z.string(),
  model: z.string(),
  teacher: z.string(),
  start: z.object({
    mode: z.enum(['fresh', 'continue', 'stack']),
    adapters: z.array(z.object({ path: z.string(), label: z.string() })),
  }),
  models: z.array(z.object({ id: z.string(), label: z.string(), detail: z.string() })),
  values: hyperparametersSchema,
  suggestion: z
    .object({
      values: hyperparametersSchema.pick({ learningRate: true, epochs: true, contextTokens: true }),
      reasons: z.array(z.string()),
    })
    .nullable(),
  python: z.object({ state: z.enum(['ready', 'missing', 'broken']), text: z.string(), offer: z.string() }).nullable(),
  problems: z.array(z.object({ name: z.string(), message: z.string() })),
  forecast: forecastReport.nullable(),
  forecasting: z.boolean(),
  overrides: z.array(z.string()),
  row: z
    .object({
      line: z.number(),
      tokens: z.array(z.object({ id: z.number(), text: z.string(), supervised: z.boolean() })),
    })
    .nullable(),
  starting: z.boolean(),
  trackers: z.array(
    z.object({ kind: z.enum(trackerKinds), on: z.boolean(), detail: z.string(), isReady: z.boolean() }),
  ),
  error,
});

export const runStateSchema: z.ZodType<RunState> = z.object({
  id: z.string(),
  name: z.string(),
  path: z.string(),
  state: shownState,
  status: statusSchema.nullable(),
  record: runRecordSchema.nullable(),
  pipeline: z
    .object({
      file: z.string(),
      stages: z.array(
        z.object({
          name: z.string(),
          state: z.enum(stageStates),
          run: z.string().nullable(),
          runState: shownState.nullable(),
          steps: z.string(),
          detail: z.string(),
        }),
      ),
      forgetting: z.object({
        sets: z.array(z.string()),
        rows: z.array(
          z.object({
            stage: z.string(),
            cells: z.array(z.object({ lossNats: z.number(), changeNats: z.number().nullable() }).nullable()),
          }),
        ),
      }),
    })
    .nullable(),
  steps: rowsOf<StepRow>('step', stepRowSchema.shape),
  evaluations: rowsOf<EvaluationRow>('evaluation', evaluationRowSchema.shape),
  samples: z.array(sampleRowSchema),
  logTail: z.array(z.string()),
  remainingMs: z.number().nullable(),
  remote: z.object({ host: z.string(), quietMs: z.number() }).nullable(),
  pendingControl: z.enum(['pause', 'stop', 'checkpoint', 'resume']).nullable(),
  datasetChanged: z.boolean(),
  datasetDifferences: z
    .object({
      differences: z.array(
        z.object({
          change: z.enum(['added', 'removed', 'changed']),
          line: z.number(),
          before: z.string().nullable(),
          after: z.string().nullable(),
        }),
      ),
      differenceCount: count,
    })
    .nullable(),
  canCompare: z.boolean(),
  trackers: z.array(
    z.object({
      kind: z.enum(trackerKinds),
      state: z.enum([...trackerStates, 'notBegun']),
      isDelivering: z.boolean(),
      step: z.number().nullable(),
      hasLink: z.boolean(),
      canSync: z.boolean(),
      remarks: z.array(z.string()),
      error,
      retryAt: z.string().nullable(),
    }),
  ),
  error,
});

export const studyStateSchema: z.ZodType<StudyState> = z.object({
  id: z.string(),
  name: z.string(),
  path: z.string(),
  state: z.enum([...writtenStates, 'interrupted']),
  status: statusSchema.nullable(),
  record: searchRecordSchema.nullable(),
  study: studySnapshotSchema.nullable(),
  pendingControl: z.enum(['pause', 'stop', 'checkpoint', 'resume']).nullable(),
  hasReport: z.boolean(),
  canCompare: z.boolean(),
  error,
});

export const evaluationStateSchema: z.ZodType<EvaluationState> = z.object({
  id: z.string(),
  name: z.string(),
  path: z.string(),
  state: shownState,
  status: statusSchema.nullable(),
  model: z.string(),
  rowCount: count.nullable(),
  candidates: z.array(z.object({ id: z.string(), kind: z.string(), label: z.string() })),
  result: evaluationResultSchema.nullable(),
  rows: evaluationRowsSchema,
  pendingControl: z.enum(['pause', 'stop', 'checkpoint', 'resume']).nullable(),
  hasReport: z.boolean(),
  error,
});

const answer = z.object({
  text: z.string(),
  stats: z
    .object({
      promptTokens: count,
      outputTokens: count,
      firstTokenMs: z.number(),
      tokensPerSecond: z.number(),
      stopReason: z.enum(['end', 'length', 'cancelled']),
    })
    .nullable(),
  running: z.boolean(),
  error,
});
const chatMessage = z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() });

export const compareStateSchema: z.ZodType<CompareState> = z.object({
  model: z.string(),
  adapters: z.array(z.object({ run: z.string(), name: z.string() })),
  adapter: z.string().nullable(),
  loading: progress.extend({ phase: z.string() }).nullable(),
  bestPrompt: z
    .object({
      system: z.string(),
      examples: z.array(z.object({ question: z.string(), answer: z.string(), line: z.number() })),
      scores: z.array(z.object({ k: count, tokenF1: z.number() })),
      chosenK: count,
    })
    .nullable(),
  searching: progress.nullable(),
  prompt: z.string(),
  settings: z.object({ maxTokens: z.number(), temperature: z.number(), seed: z.number() }),
  answers: z.object({ base: answer, prompted: answer, adapter: answer }),
  running: z.boolean(),
  heldOut: z
    .object({
      row: z.object({ index: count, line: z.number(), messages: z.array(chatMessage), reference: z.string() }),
      total: count,
    })
    .nullable(),
  error,
});

/** Rows of figures come by the thousand: each field is looked at, without the library's bookkeeping. */
function rowsOf<Row extends StepRow | EvaluationRow>(
  kind: Row['kind'],
  shape: Readonly<Record<string, z.ZodType>>,
): z.ZodType<Row[]> {
  const fields = Object.keys(shape).filter(name => name !== 'kind');
  const isOptional = new Set(fields.filter(name => shape[name]!.safeParse(undefined).success));
  const isRow = (row: unknown) => {
    if (typeof row !== 'object' || row === null) return false;
    const values = row as Readonly<Record<string, unknown>>;
    return (
      values.kind === kind &&
      fields.every(name => (values[name] === undefined ? isOptional.has(name) : typeof values[name] === 'number'))
    );
  };
  return z.custom<Row[]>(rows => Array.isArray(rows) && rows.every(isRow), `expected rows of kind "${kind}"`);
}
