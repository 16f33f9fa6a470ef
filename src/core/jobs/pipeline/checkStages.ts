/** @file Every stage's files and data, looked at before the first one trains: a wrong row of the last stage is told at once. */

import { defaultHyperparameters } from '../../../shared/hyperparameters.ts';
import type { PipelineStage } from '../../../shared/pipeline.ts';
import { checkObjectiveData } from '../prepare/checkObjectiveData.ts';
import { type ReadSource, readSources } from '../prepare/readSources.ts';

export interface CheckedStage {
  readonly stage: PipelineStage;
  readonly sources: readonly ReadSource[];
  /** Of the dataset files' bytes, in their order. */
  readonly sha256: readonly string[];
}

/** @throws TuneError as `readSources` and `checkObjectiveData`; AbortError when cancelled */
export async function checkStageData(stage: PipelineStage, signal: AbortSignal | undefined): Promise<CheckedStage> {
  const { datasets, hyperparameters, overrides, name } = stage;
  const request = { name, model: '', datasets, hyperparameters, overrides, parents: [] };
  const sources = await readSources(request, signal, () => undefined);
  // A teacher answers questions of any kind: what it says are answers.
  const objective = stage.distill === 'answers' ? defaultHyperparameters.objective : hyperparameters.objective;
  if (stage.distill !== 'answers') checkObjectiveData(sources, { objective });
  return { stage, sources, sha256: sources.map(({ dataset }) => dataset.sha256) };
}
