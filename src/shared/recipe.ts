/** @file run.json: the immutable recipe of a run. Fed back, it reproduces the run. */
import { z } from 'zod';
import { cleaningRecipeSchema } from './cleaning.ts';
import { textEncodings } from './datasetFormats.ts';
import { engines } from './engineChoice.ts';
import { baseWeightsChoices, hyperparametersSchema } from './hyperparameters.ts';

export const runSchemaVersion = 1;

/** How the columns of a file become examples. */
export const mappingSchema = z.strictObject({
  kind: z.enum([
    'messages',
    'conversations',
    'instruction',
    'promptCompletion',
    'questionAnswer',
    'preference',
    'text',
  ]),
  /** Field of the file for each part of the kind, for example {question: 'q', answer: 'a'}. */
  fields: z.record(z.string(), z.string()),
});
export type Mapping = z.infer<typeof mappingSchema>;

export const datasetReferenceSchema = z.strictObject({
  /** The file, folder or pattern that the user chose, absolute. */
  path: z.string(),
  /** Of the file's bytes when the run was made; of several files, of their names and hashes. */
  sha256: z.string(),
  /** Folder name under `datasets/` that holds what was read, and its split. */
  snapshot: z.string(),
  mapping: mappingSchema,
  /** True when the user chose the mapping, false when it was detected. */
  mappingChosen: z.boolean(),
  /** Where the user named it. */
  encoding: z.enum(textEncodings).optional(),
  /** Of the training rows; held-out and test rows stay as they are, so that runs with other steps can be compared. */
  cleaning: cleaningRecipeSchema.optional(),
});
export type DatasetReference = z.infer<typeof datasetReferenceSchema>;

export const modelReferenceSchema = z.strictObject({
  /** As the user named it: `tiny`, a path, a Hub id. */
  id: z.string(),
  path: z.string(),
  format: z.enum(['safetensors', 'gguf']),
  modelType: z.string(),
  /** Over the weight files, in name order. */
  sha256: z.string(),
});
export type ModelReference = z.infer<typeof modelReferenceSchema>;

export const forecastSchema = z.strictObject({
  totalSteps: z.number().int(),
  trainRows: z.number().int(),
  heldOutRows: z.number().int(),
  tokensPerEpoch: z.number().int(),
  supervisedTokensPerEpoch: z.number().int(),
  peakMemoryBytes: z.number(),
  memoryLimitBytes: z.number(),
  /** Which shape of the engine the planner picked. */
  plan: z.enum(['whole', 'layered']),
  /** How the planner holds the frozen weights. */
  baseWeights: z.enum(baseWeightsChoices).default('float32'),
  /** Of the graphics card whose memory is meant; absent: the machine's. */
  card: z.string().optional(),
});
export type Forecast = z.infer<typeof forecastSchema>;

/** Names of checks the user chose to override, as said by the pre-flight. */
export const overrideNames = ['mask', 'endToken', 'doubleBos', 'memory', 'brokenRows'] as const;
export type OverrideName = (typeof overrideNames)[number];

/** How a run uses adapters that exist: goes on training the one, or leaves them as they are under a new one. */
const startMode = z.enum(['continue', 'stack']);

export const runRecordSchema = z.strictObject({
  schemaVersion: z.literal(runSchemaVersion),
  id: z.string(),
  kind: z.literal('train'),
  parents: z.array(z.string()),
  createdAt: z.string(),
  engine: z.enum(engines),
  objective: z.enum(['sft', 'dpo', 'distill']),
  model: modelReferenceSchema,
  /** Of a distillation. */
  teacher: modelReferenceSchema.optional(),
  /** Adapters that training starts from, as they were given. */
  startFrom: z
    .strictObject({
      mode: startMode,
      adapters: z.array(z.strictObject({ path: z.string(), sha256: z.string() })).min(1),
    })
    .optional(),
  /** The run whose rows are old ones here: trained on is what is new since, beside a replayed share. */
  since: z.string().optional(),
  datasets: z.array(datasetReferenceSchema).min(1),
  hyperparameters: hyperparametersSchema,
  overrides: z.array(z.enum(overrideNames)),
  versions: z.record(z.string(), z.string()),
  forecast: forecastSchema,
});
export type RunRecord = z.infer<typeof runRecordSchema>;

const requestedDatasetSchema = z.strictObject({
  path: z.string(),
  mapping: mappingSchema.nullable(),
  encoding: z.enum(textEncodings).optional(),
  cleaning: cleaningRecipeSchema.optional(),
});

/** What a person asks for, before anything was read: the trainer turns it into a RunRecord. */
export const runRequestSchema = z.strictObject({
  /** Absent in requests of older versions, and most others. */
  kind: z.literal('train').optional(),
  name: z.string().min(1).max(120),
  model: z.string().min(1),
  /** The model to learn from, named like `model`; for the objective `distill` alone. */
  teacher: z.string().min(1).optional(),
  datasets: z.array(requestedDatasetSchema).min(1),
  hyperparameters: hyperparametersSchema,
  overrides: z.array(z.enum(overrideNames)),
  parents: z.array(z.string()),
  /** Folders of adapters or runs: one to go on training, or some to train a new one on. */
  startFrom: z.strictObject({ mode: startMode, adapters: z.array(z.string().min(1)).min(1).max(16) }).optional(),
  /** Folder of a run that trained on the dataset before it grew: its rows are only replayed (`replayRatio`). */
  since: z.string().min(1).optional(),
});
export type RunRequest = z.infer<typeof runRequestSchema>;
