/** @file run.json and request.json of a search: which settings are tried, how they are chosen, and for how long. */
import { z } from 'zod';
import { type HyperparameterName, hyperparameterNames, hyperparameterTable } from './hyperparameters.ts';
import {
  datasetReferenceSchema,
  forecastSchema,
  modelReferenceSchema,
  runRequestSchema,
  runSchemaVersion,
} from './recipe.ts';

/** What one setting may be. Choices are texts as after `--set name=`, so that lists and flags can be chosen too. */
export const distributionSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('real'), low: z.number(), high: z.number(), log: z.boolean() }),
  z.strictObject({ kind: z.literal('integer'), low: z.number().int(), high: z.number().int(), log: z.boolean() }),
  z.strictObject({ kind: z.literal('choice'), choices: z.array(z.string()).min(1).max(100) }),
]);
export type Distribution = z.infer<typeof distributionSchema>;

/** How the training rows are cleaned: off, basic, strict, or steps as of `tuning-fork clean`. */
export const cleaningName = 'cleaning';
export type SearchableName = HyperparameterName | typeof cleaningName;

export const searchParameterSchema = z.strictObject({
  name: z.enum([cleaningName, ...hyperparameterNames] as [SearchableName, ...SearchableName[]]),
  distribution: distributionSchema,
});
export type SearchParameter = z.infer<typeof searchParameterSchema>;

/** For people; of a name from elsewhere the name itself. */
export function labelSearched(name: string): string {
  if (name === cleaningName) return 'Cleaning';
  return hyperparameterTable[name as HyperparameterName]?.label ?? name;
}

/** A file of ranges: as after `--space`, or as in a request. */
export const spaceFileSchema = z.union([z.array(z.string()).min(1), z.array(searchParameterSchema).min(1)]);

/** `heldOutLoss` falls; the other, the overlap of words between answer and reference, rises. */
export const searchMetrics = ['heldOutLoss', 'tokenF1'] as const;
export type SearchMetric = (typeof searchMetrics)[number];

export const searchSettingsSchema = z.strictObject({
  space: z.array(searchParameterSchema).min(1).max(50),
  /** Whether cleaning, and the share of synthetic rows, join the space where they change the training rows. */
  offersDataChoices: z.boolean().default(false),
  /** The search ends when one of them is spent. */
  budget: z
    .strictObject({
      trials: z.number().int().min(1).max(100_000).nullable(),
      minutes: z.number().positive().nullable(),
      /** Tokens trained on, over all trials. */
      tokens: z.number().int().positive().nullable(),
    })
    .refine(({ trials, minutes, tokens }) => trials !== null || minutes !== null || tokens !== null, {
      message: 'expected a budget of trials, minutes or tokens',
    }),
  /** Built in: `tpe`, `random`; with Python: `optuna:<class>` of optuna.samplers. */
  sampler: z.string().regex(/^(tpe|random|optuna:[A-Za-z]{1,60})$/),
  /** Built in: `halving`, `median`, `none`; with Python: `optuna:<class>` of optuna.pruners. */
  pruner: z.string().regex(/^(halving|median|none|optuna:[A-Za-z]{1,60})$/),
  metric: z.enum(searchMetrics),
  /** What becomes of the winner: its adapter as it is, or trained anew on the held-out rows too. */
  winner: z.enum(['keep', 'retrain']),
  /** Trials at once; null: as many as memory and processors have room for. */
  parallel: z.number().int().min(1).max(64).nullable(),
  seed: z.number().int().min(0).max(2_147_483_647),
});
export type SearchSettings = z.infer<typeof searchSettingsSchema>;

/** "Find the best": the settings above are then chosen by the search itself. */
export const automaticSchema = z.strictObject({
  minutes: z.number().positive(),
  /** Models to choose from, named as on the command line. */
  models: z.array(z.string().min(1)).min(1).max(20),
  /** What was chosen and why, in sentences; empty in a request. */
  decisions: z.array(z.string()).default([]),
});

export const searchRequestSchema = z.strictObject({
  kind: z.literal('search'),
  name: z.string().min(1).max(120),
  /** What every trial is, but for the settings searched. */
  base: runRequestSchema,
  settings: searchSettingsSchema,
  automatic: automaticSchema.nullable().default(null),
  parents: z.array(z.string()),
});
export type SearchRequest = z.infer<typeof searchRequestSchema>;

export const searchRecordSchema = z.strictObject({
  schemaVersion: z.literal(runSchemaVersion),
  id: z.string(),
  kind: z.literal('search'),
  parents: z.array(z.string()),
  createdAt: z.string(),
  model: modelReferenceSchema,
  datasets: z.array(datasetReferenceSchema).min(1),
  base: runRequestSchema,
  settings: searchSettingsSchema,
  automatic: automaticSchema.nullable().default(null),
  versions: z.record(z.string(), z.string()),
  /** Of a trial with the settings of `base`. */
  forecast: forecastSchema,
});
export type SearchRecord = z.infer<typeof searchRecordSchema>;
