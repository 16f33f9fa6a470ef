/** @file request.json and run.json of an evaluation: who answers which rows, and by what the answers are judged. */
import { z } from 'zod';
import { textEncodings } from './datasetFormats.ts';
import { mappingSchema, modelReferenceSchema, runSchemaVersion } from './recipe.ts';

/** In the order in which tables show them. */
export const metricNames = [
  'loss',
  'perplexity',
  'exactMatch',
  'tokenF1',
  'rougeL',
  'bleu',
  'chrF',
  'termAccuracy',
  'relevance',
  'accuracy',
  'macroF1',
  'judge',
  'secondsPerAnswer',
  'tokensPerSecond',
] as const;
export type MetricName = (typeof metricNames)[number];

/** Kinds of tasks: see taskPresets.ts. */
export const taskNames = ['questionAnswering', 'summarisation', 'classification'] as const;
export type TaskName = (typeof taskNames)[number];

/** Where a model that is not on this machine answers. The key is read from a variable when it is needed, and stands nowhere. */
export const endpointSchema = z.strictObject({
  baseUrl: z.string().min(1),
  model: z.string().min(1),
  /** Name of the environment variable that holds the key. */
  keyVariable: z.string().min(1).nullable(),
  requestsPerMinute: z.number().min(0),
  parallelRequests: z.number().int().min(1).max(256),
  maxRetries: z.number().int().min(0).max(100),
  idleTimeoutMs: z.number().positive(),
});
export type EndpointReference = z.infer<typeof endpointSchema>;

const named = { id: z.string().regex(/^[a-z]+(-\d+)?$/), label: z.string().min(1).max(200) };
/** One way of answering the rows. */
export const candidateSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('base'), ...named }),
  z.strictObject({
    kind: z.literal('prompted'),
    ...named,
    /** Null: found from the training rows. */
    system: z.string().nullable(),
    /** Examples in front of each question; null: as many as help most on training rows kept aside. */
    fewShot: z.number().int().min(0).max(64).nullable(),
  }),
  /** A run, or folders of adapters that are added up; a checkpoint of a run. */
  z.strictObject({ kind: z.literal('adapter'), ...named, paths: z.array(z.string().min(1)).min(1).max(16) }),
  z.strictObject({ kind: z.literal('model'), ...named, model: z.string().min(1) }),
  z.strictObject({ kind: z.literal('endpoint'), ...named, endpoint: endpointSchema }),
]);
export type Candidate = z.infer<typeof candidateSchema>;

export const evaluatedRowsSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('run'), run: z.string().min(1), split: z.enum(['heldOut', 'test']) }),
  z.strictObject({
    kind: z.literal('file'),
    path: z.string().min(1),
    /** Null: that of the task where its fields are there, else detected. */
    mapping: mappingSchema.nullable(),
    /** Null: detected. */
    encoding: z.enum(textEncodings).nullable().default(null),
    task: z.enum(taskNames).nullable(),
  }),
]);
export type EvaluatedRows = z.infer<typeof evaluatedRowsSchema>;

/** Words that answers have to get right: a file with one a line, or the values of fields of the dataset. */
export const glossarySourceSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('file'), path: z.string().min(1) }),
  z.strictObject({ kind: z.literal('fields'), fields: z.array(z.string().min(1)).min(1).max(16) }),
]);

export const judgeSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('endpoint'), endpoint: endpointSchema }),
  z.strictObject({ kind: z.literal('model'), model: z.string().min(1), adapter: z.string().min(1).nullable() }),
]);
export type JudgeReference = z.infer<typeof judgeSchema>;

const settingsShape = {
  /** The base model, as the user named it. */
  rows: evaluatedRowsSchema,
  candidates: z.array(candidateSchema).min(1).max(20),
  /** Rows judged at most, drawn by the seed; null: all. */
  maxRows: z.number().int().min(1).nullable(),
  metrics: z.array(z.enum(metricNames)).min(1),
  decoding: z.strictObject({
    maxTokens: z.number().int().min(1),
    temperature: z.number().min(0),
    topP: z.number().positive().max(1),
  }),
  /** Compute weights of GGUF files in float32 instead of their blocks. */
  float32: z.boolean(),
  contextTokens: z.number().int().min(8).nullable(),
  glossary: glossarySourceSchema.nullable(),
  /** Of a label task; null: found from the references. */
  labels: z.array(z.string().min(1)).min(2).nullable(),
  judge: judgeSchema.nullable(),
  seed: z.number().int().min(0),
};

export const evaluationRequestSchema = z.strictObject({
  kind: z.literal('evaluate'),
  name: z.string().min(1).max(120),
  model: z.string().min(1),
  ...settingsShape,
  /** The runs that are judged. */
  parents: z.array(z.string()),
});
export type EvaluationRequest = z.infer<typeof evaluationRequestSchema>;

export const evaluationRecordSchema = z.strictObject({
  schemaVersion: z.literal(runSchemaVersion),
  id: z.string(),
  kind: z.literal('evaluate'),
  parents: z.array(z.string()),
  createdAt: z.string(),
  model: modelReferenceSchema,
  /** Of the rows that are judged. */
  datasets: z
    .array(z.strictObject({ path: z.string(), sha256: z.string(), encoding: z.enum(textEncodings).optional() }))
    .min(1),
  ...settingsShape,
  /** What each candidate answers with: hash over the weights of its adapter or model; absent where there are none. */
  weights: z.record(z.string(), z.string()),
  rowCount: z.number().int().min(1),
  versions: z.record(z.string(), z.string()),
});
export type EvaluationRecord = z.infer<typeof evaluationRecordSchema>;
