/** @file A prepared run -> the engine that its recipe asks for, with the parameters as they are before the first step. */
import { openCachedWeights, type WeightCache } from '../models/weightCache.ts';
import { countBatchRows } from '../text/pairBatches.ts';
import { createTrainingEngine } from '../train/createTrainingEngine.ts';
import type { TrainingEngine } from '../train/trainingEngine.ts';
import type { PreparedRun } from './prepareRun.ts';
import { specifyLoss } from './specifyLoss.ts';

/** @param weightCache where weights that are rounded to 4 bit are kept for the next run; absent: nowhere */
export function createRunEngine(
  { record, model, architecture, start }: Pick<PreparedRun, 'record' | 'model' | 'architecture' | 'start'>,
  weightCache?: WeightCache,
): Promise<TrainingEngine> {
  const { hyperparameters, forecast } = record;
  return createTrainingEngine({
    ...hyperparameters,
    start,
    model: architecture,
    weights: model.weights,
    batchRows: countBatchRows(hyperparameters),
    threads: hyperparameters.threads ?? 0,
    memoryLimitBytes: forecast.memoryLimitBytes,
    shape: forecast.plan,
    baseWeights: forecast.baseWeights,
    cacheRounded: weightCache && (rounded => openCachedWeights(weightCache, record.model.sha256, rounded)),
    loss: specifyLoss(hyperparameters, architecture.config.vocabularySize),
  });
}
