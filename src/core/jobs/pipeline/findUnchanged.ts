/** @file A stage's key -> a run of an earlier pipeline of the store that trained exactly this, whole and as it was left. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { TuneError } from '../../../shared/errors.ts';
import type { StageProgress } from '../../../shared/pipeline.ts';
import { runNames, storeNames } from '../../../shared/runFolder.ts';
import { readStatus } from '../../runs/runFiles.ts';
import { listRuns, storeOf } from '../../runs/runStore.ts';
import { readQuietly } from '../readQuietly.ts';
import { readProgress } from './progressFile.ts';
import { readResult, type StageResult } from './stageResult.ts';

export interface UnchangedStage {
  readonly result: StageResult;
  readonly progress: StageProgress;
}

/** The newest one; undefined when there is none. */
export async function findUnchanged(store: string, name: string, key: string): Promise<UnchangedStage | undefined> {
  for (const run of listRuns(store).reverse()) {
    // Most runs are no pipelines: one look each.
    const progress = existsSync(join(run, runNames.pipeline)) ? readQuietly(() => readProgress(run)) : undefined;
    for (const stage of progress?.stages ?? []) {
      if (stage.key !== key || stage.run === null || stage.outputSha256 === null) continue;
      const result = await readWhole(name, join(store, storeNames.runs, basename(stage.run)));
      if (result?.outputSha256 === stage.outputSha256) return { result, progress: stage };
    }
  }
  return undefined;
}

/** The result of a run that has finished and is still there; undefined otherwise. */
export async function readWhole(name: string, run: string): Promise<StageResult | undefined> {
  if (!existsSync(join(run, runNames.status))) return undefined;
  try {
    return readStatus(run).state === 'finished' ? await readResult(name, run) : undefined;
  } catch (error) {
    if (error instanceof TuneError) return undefined;
    throw error;
  }
}

/** The runs of a pipeline lie beside it. */
export const childFolder = (pipelineRun: string, id: string): string =>
  join(storeOf(pipelineRun), storeNames.runs, basename(id));
