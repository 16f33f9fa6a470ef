/**
 * @file A pipeline: stages that train one after the other, each from the last one's result. Its request and record, and
 * how far it has come: what `pipeline.json` of its run folder holds, from which every table of forgetting is drawn.
 */
import { z } from 'zod';
import { hyperparametersSchema } from './hyperparameters.ts';
import { mappingSchema, modelReferenceSchema, overrideNames, runSchemaVersion } from './recipe.ts';

/** File names in which the editor looks for pipelines. */
export const pipelineFilePattern = /\.pipeline\.(ya?ml|json)$/i;

/** How a stage takes up the result of the one before. */
export const stageStarts = ['continue', 'merge', 'fresh'] as const;
export type StageStart = (typeof stageStarts)[number];

export const distillKinds = ['logits', 'answers'] as const;

export const stageNamePattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/;

export const pipelineStageSchema = z.strictObject({
  name: z.string().regex(stageNamePattern),
  /** Trained from this model; null: from the result of the stage before. */
  model: z.string().min(1).nullable(),
  /** `continue`: its adapter (or model) is trained on; `merge`: a new adapter on the model with that adapter in its weights. */
  start: z.enum(stageStarts),
  datasets: z.array(z.strictObject({ path: z.string().min(1), mapping: mappingSchema.nullable() })).min(1),
  hyperparameters: hyperparametersSchema,
  overrides: z.array(z.enum(overrideNames)),
  /** Who is learned from: the result of an earlier stage, or a model. */
  teacher: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('stage'), stage: z.string() }),
      z.strictObject({ kind: z.literal('model'), model: z.string().min(1) }),
      /** OpenAI-compatible; its key is no part of this. */
      z.strictObject({
        kind: z.literal('endpoint'),
        baseUrl: z.string().min(1),
        model: z.string().min(1),
        /** 0: no limit. */
        requestsPerMinute: z.number().min(0),
      }),
    ])
    .nullable(),
  /** `logits`: from what it thinks of each token; `answers`: from its own answers to the questions. */
  distill: z.enum(distillKinds).nullable(),
  /** Of an answer, for `answers`. */
  maxTokens: z.number().int().min(1),
  /** Answers that reached that limit are kept too. */
  keepCut: z.boolean(),
});
export type PipelineStage = z.infer<typeof pipelineStageSchema>;

export const pipelineRequestSchema = z.strictObject({
  kind: z.literal('pipeline'),
  name: z.string().min(1).max(120),
  /** The file that it was read from, absolute. */
  file: z.string(),
  stages: z.array(pipelineStageSchema).min(1).max(50),
  /** Stages from this one on are trained anew even where nothing has changed. */
  restartFrom: z.string().nullable(),
  parents: z.array(z.string()),
});
export type PipelineRequest = z.infer<typeof pipelineRequestSchema>;

export const pipelineRecordSchema = z.strictObject({
  schemaVersion: z.literal(runSchemaVersion),
  id: z.string(),
  kind: z.literal('pipeline'),
  parents: z.array(z.string()),
  createdAt: z.string(),
  file: z.string(),
  /** Of the first stage. */
  model: modelReferenceSchema,
  /** Of all stages, in their order. What was read of them is kept by the stages' own runs. */
  datasets: z.array(z.strictObject({ path: z.string(), sha256: z.string() })).min(1),
  stages: z.array(pipelineStageSchema).min(1),
  restartFrom: z.string().nullable(),
  versions: z.record(z.string(), z.string()),
});
export type PipelineRecord = z.infer<typeof pipelineRecordSchema>;

export const stageStates = ['waiting', 'preparing', 'training', 'measuring', 'finished', 'reused'] as const;
export type StageState = (typeof stageStates)[number];

/** A held-out set, measured with the result of a stage. */
export const heldOutMeasureSchema = z.strictObject({
  /** The stage whose run held these rows out. */
  set: z.string(),
  /** Id of that run. */
  run: z.string(),
  rows: z.number().int(),
  lossNats: z.number(),
  supervisedTokens: z.number().int(),
});
export type HeldOutMeasure = z.infer<typeof heldOutMeasureSchema>;

export const stageProgressSchema = z.strictObject({
  name: z.string(),
  state: z.enum(stageStates),
  /** Over everything that the stage's result depends on; null until it is known. */
  key: z.string().nullable(),
  /** Id of the run that trains or has trained it. */
  run: z.string().nullable(),
  /** Over the weights that came out. */
  outputSha256: z.string().nullable(),
  measures: z.array(heldOutMeasureSchema),
});
export type StageProgress = z.infer<typeof stageProgressSchema>;

/** pipeline.json of the run folder. */
export const pipelineProgressSchema = z.strictObject({ stages: z.array(stageProgressSchema) });
export type PipelineProgress = z.infer<typeof pipelineProgressSchema>;

export interface ForgettingCell {
  readonly lossNats: number;
  /** Against the loss right after the set's own stage; null for that stage itself, and between other tokens. */
  readonly changeNats: number | null;
}

export interface ForgettingTable {
  /** Names of the stages whose held-out sets were measured. */
  readonly sets: readonly string[];
  /** A row a finished stage: one cell a set, null for sets of later stages. */
  readonly rows: readonly { readonly stage: string; readonly cells: readonly (ForgettingCell | null)[] }[];
}

/** Stage by held-out set: how much of what was learned earlier is left. */
export function tabulateForgetting({ stages }: PipelineProgress): ForgettingTable {
  const measured = stages.filter(({ measures }) => measures.length > 0);
  const names = measured.map(({ name }) => name);
  const sets = names.filter(name => measured.some(({ measures }) => measures.some(({ set }) => set === name)));
  const find = (stage: StageProgress, set: string) => stage.measures.find(measure => measure.set === set);
  const rows = measured.map(stage => ({
    stage: stage.name,
    cells: sets.map((set): ForgettingCell | null => {
      const measure = find(stage, set);
      if (measure === undefined) return null;
      const own = stages.find(({ name }) => name === set);
      const before = own === undefined || own === stage ? undefined : find(own, set);
      // Losses a token compare only where the tokens are the same.
      const isComparable = before !== undefined && before.supervisedTokens === measure.supervisedTokens;
      return { lossNats: measure.lossNats, changeNats: isComparable ? measure.lossNats - before.lossNats : null };
    }),
  }));
  return { sets, rows };
}

/** Servers that are asked for answers, each once. */
export function listEndpoints(stages: readonly Pick<PipelineStage, 'teacher'>[]): string[] {
  const addresses = stages.flatMap(({ teacher }) => (teacher?.kind === 'endpoint' ? [teacher.baseUrl] : []));
  return [...new Set(addresses.map(address => new URL(address).origin))];
}

/** `continue · sft · rows.jsonl`: how it starts, what is learned, from what. */
export function describeStage({ model, start, datasets, teacher, distill, hyperparameters }: PipelineStage): string {
  const from = model === null ? start : baseName(model);
  const who = teacher?.kind === 'stage' ? teacher.stage : baseName(teacher?.model ?? '');
  const learned = distill === null ? hyperparameters.objective : `${distill} of ${who}`;
  return `${from} · ${learned} · ${datasets.map(({ path }) => baseName(path)).join(', ')}`;
}

const baseName = (path: string): string => path.split(/[\\/]/).at(-1)!;
