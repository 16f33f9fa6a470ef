/**
 * @file What a run's settings cost on this machine, as it was measured before: kept in the user's folder, so that
 * whoever does not load an engine can say how long a run will take.
 */
import { cpus } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { version } from '../../../../package.json';
import { TuneError } from '../../../shared/errors.ts';
import type { Forecast, RunRequest } from '../../../shared/recipe.ts';
import type { TensorSource } from '../../formats/tensorSource.ts';
import type { Model } from '../../models/findArchitecture.ts';
import { readJson, writeJson } from '../../runs/jsonFile.ts';
import { ensureUserStateFolder } from '../../runs/processRegistry.ts';
import { countBatchRows } from '../../text/pairBatches.ts';

const speedSchema = z.strictObject({
  /** Forward and backward pass of one batch. */
  batchMs: z.number().min(0),
  /** Clipping and AdamW. */
  updateMs: z.number().min(0),
  evaluationBatchMs: z.number().min(0),
  /** A batch in the pass over the data that `dpo` and `distill` begin with. */
  readMs: z.number().min(0),
});
export type RunSpeed = z.infer<typeof speedSchema>;

interface StoredModel {
  readonly weights: Pick<TensorSource, 'names' | 'info'>;
}

/** A checked run, as far as its speed hangs on it. */
interface MeasuredRun {
  readonly request: Pick<RunRequest, 'hyperparameters'>;
  readonly architecture: Model;
  readonly model: StoredModel;
  readonly teacher?: { readonly architecture: Model; readonly model: StoredModel } | undefined;
  readonly forecast: Forecast;
}

const fileName = 'run-speeds.json';
const speedsSchema = z.record(z.string(), speedSchema);
/** The oldest are forgotten. */
const mostKept = 200;

/** Undefined where these settings were not measured on this machine. */
export function recallRunSpeed(run: MeasuredRun): RunSpeed | undefined {
  return whereThereIsAFolder(folder => readSpeeds(folder)[describeRun(run)]);
}

export function keepRunSpeed(run: MeasuredRun, speed: RunSpeed): void {
  whereThereIsAFolder(folder => {
    const key = describeRun(run);
    const others = Object.entries(readSpeeds(folder)).filter(([known]) => known !== key);
    const kept = [...others, [key, speed] as const].slice(-mostKept);
    writeJson(join(folder, fileName), Object.fromEntries(kept), false);
  });
}

/** The processor and the program with its library. */
export function describeMachine(threads: number): string {
  const processors = cpus();
  return `${processors[0]?.model.trim()} x ${threads === 0 ? processors.length : threads}, tuning-fork ${version}`;
}

/** Whatever changes what a batch costs; which words it holds does not. */
function describeRun({ request, architecture, model, teacher, forecast }: MeasuredRun): string {
  const { hyperparameters: settings } = request;
  const { tokensPerEpoch, supervisedTokensPerEpoch, plan, baseWeights } = forecast;
  // The head computes supervised tokens alone.
  const supervisedTenths = Math.round((10 * supervisedTokensPerEpoch) / Math.max(1, tokensPerEpoch));
  return JSON.stringify([
    describeMachine(settings.threads ?? 0),
    describeModel(architecture, model),
    teacher ? describeModel(teacher.architecture, teacher.model) : '',
    `${countBatchRows(settings)} x ${settings.contextTokens}, ${settings.packing ? 'packed' : 'one row each'}, ${supervisedTenths}/10 supervised, ${plan}, ${baseWeights}`,
    settings.objective,
    settings.objective === 'distill' ? settings.distillTopK : 0,
    settings.method,
    settings.method === 'full'
      ? ''
      : [settings.rank, settings.targetModules, settings.layersToTransform, settings.modulesToSave].join(),
    [settings.dropout > 0, settings.dora, settings.adaLora].join(),
  ]);
}

function describeModel({ config }: Model, stored: StoredModel): string {
  const { modelType, layers, hiddenSize, feedForwardSize, heads, keyValueHeads, headSize, vocabularySize } = config;
  const sizes = [modelType, layers, hiddenSize, feedForwardSize, heads, keyValueHeads, headSize, vocabularySize];
  return [...sizes, JSON.stringify(config.layerAttention), listMatrixTypes(stored)].join();
}

/** As which types a model's matrices lie in its file, which decides how they become floats. */
function listMatrixTypes({ weights }: StoredModel): string {
  const matrices = weights.names.map(name => weights.info(name)).filter(({ shape }) => shape.length >= 2);
  return [...new Set(matrices.map(({ dtype }) => dtype))].sort().join('+');
}

/** A file that is missing, torn or of another version is begun anew. */
function readSpeeds(folder: string): Readonly<Record<string, RunSpeed>> {
  return ignoreTuneError(() => readJson(join(folder, fileName), speedsSchema)) ?? {};
}

/** Nothing is known, and nothing kept, without a folder of the user's own. */
function whereThereIsAFolder<T>(act: (folder: string) => T): T | undefined {
  return ignoreTuneError(() => act(ensureUserStateFolder()));
}

function ignoreTuneError<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (error instanceof TuneError) return undefined;
    throw error;
  }
}
