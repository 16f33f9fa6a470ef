/** @file A pipeline's request -> its record in run.json, once the data of every stage and every named model were looked at. */
import { basename } from 'node:path';
import { TuneError } from '../../../shared/errors.ts';
import type { PipelineRecord, PipelineRequest } from '../../../shared/pipeline.ts';
import { type ModelReference, runSchemaVersion } from '../../../shared/recipe.ts';
import { type OpenModelOptions, openModel } from '../../models/openModel.ts';
import { readStoredRecord, readStoredRequest, writeRecord } from '../../runs/runFiles.ts';
import { listVersions } from '../prepare/versions.ts';
import { checkStageData } from './checkStages.ts';

export interface PreparingOptions {
  readonly models: OpenModelOptions;
  readonly signal: AbortSignal;
  readonly onPhase: (name: string, done: number, total: number) => void;
}

/** The record that stands, or a new one. @throws TuneError; AbortError when cancelled */
export async function preparePipeline(run: string, options: PreparingOptions): Promise<PipelineRecord> {
  const stored = readStoredRecord(run);
  if (stored?.kind === 'pipeline') return stored;
  const request = readPipelineRequest(run);
  const { stages, file, restartFrom, parents } = request;
  const datasets: PipelineRecord['datasets'] = [];
  for (const [index, stage] of stages.entries()) {
    options.onPhase('checking data', index, stages.length);
    const { sha256 } = await atStage(stage.name, () => checkStageData(stage, options.signal));
    datasets.push(...stage.datasets.map(({ path }, i) => ({ path, sha256: sha256[i]! })));
  }
  const named = stages.flatMap(({ name, model, teacher }) => [
    ...(model === null ? [] : [{ name, model }]),
    ...(teacher?.kind === 'model' ? [{ name, model: teacher.model }] : []),
  ]);
  const references: ModelReference[] = [];
  for (const { name, model } of named) {
    options.onPhase('opening models', references.length, named.length);
    references.push(await atStage(name, () => identifyModel(model, options)));
  }
  const record: PipelineRecord = {
    schemaVersion: runSchemaVersion,
    id: basename(run),
    kind: 'pipeline',
    parents,
    createdAt: new Date().toISOString(),
    file,
    model: references[0]!,
    datasets,
    stages,
    restartFrom,
    versions: listVersions(),
  };
  writeRecord(run, record);
  return record;
}

/** @throws TuneError as `openModel` */
export async function identifyModel(
  name: string,
  { models, signal }: Pick<PreparingOptions, 'models' | 'signal'>,
): Promise<ModelReference> {
  const opened = await openModel(name, { ...models, hub: { ...models.hub, signal } });
  try {
    const { id, path, format, modelType } = opened;
    return { id, path, format, modelType, sha256: opened.computeSha256() };
  } finally {
    opened.close();
  }
}

/** Says at which stage what is wrong. */
export async function atStage<T>(name: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof TuneError)) throw error;
    const { code, message, hint, file, line } = error;
    throw new TuneError(code, `stage ${name}: ${message}`, { hint, file, line, cause: error });
  }
}

function readPipelineRequest(run: string): PipelineRequest {
  const request = readStoredRequest(run);
  if (request.kind === 'pipeline') return request;
  throw new TuneError('run-invalid', `${run}: expected a pipeline, got a run of another kind`, { file: run });
}
