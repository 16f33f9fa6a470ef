/** @file A prepared run -> the engine that its recipe asks for, with the parameters as they are before the first step. */
import type { Device } from '../../../shared/hyperparameters.ts';
import type { RunRecord } from '../../../shared/recipe.ts';
import { openCachedWeights, type WeightCache } from '../../models/weightCache.ts';
import { collectGarbage } from '../../runtime/collectGarbage.ts';
import { countBatchRows } from '../../text/pairBatches.ts';
import { createTrainingEngine, type TrainingEngineSettings } from '../../train/createTrainingEngine.ts';
import type { TrainingEngine } from '../../train/trainingEngine.ts';
import type { PreparedRun } from '../prepare/prepareRun.ts';
import { specifyLoss } from './specifyLoss.ts';

type EngineSource = Pick<PreparedRun, 'record' | 'model' | 'architecture' | 'start'>;
/** Enough for the settings: the recipe need not be written yet. */
type EngineOrigin = Omit<EngineSource, 'record'> & { readonly record: Pick<RunRecord, 'hyperparameters' | 'forecast'> };

/**
 * @param weightCache where weights that are rounded to 4 bit are kept for the next run; absent: nowhere
 * @param device where it computes, see `chooseRunDevice`
 * @param halfPrecision see `chooseRunPrecision`
 */
export async function createRunEngine(
  prepared: EngineSource,
  weightCache?: WeightCache,
  device: Device = 'cpu',
  halfPrecision = false,
): Promise<TrainingEngine> {
  const { sha256 } = prepared.record.model;
  const engine = await createTrainingEngine({
    ...engineSettings(prepared, device),
    halfPrecision,
    cacheRounded: weightCache && (rounded => openCachedWeights(weightCache, sha256, rounded)),
  });
  collectGarbage();
  return engine;
}

/** What the recipe says of the engine. */
export function engineSettings(
  { record, model, architecture, start }: EngineOrigin,
  device: Device,
): TrainingEngineSettings {
  const { hyperparameters, forecast } = record;
  return {
    ...hyperparameters,
    start,
    device,
    model: architecture,
    weights: model.weights,
    batchRows: countBatchRows(hyperparameters),
    threads: hyperparameters.threads ?? 0,
    memoryLimitBytes: forecast.memoryLimitBytes,
    shape: forecast.plan,
    // Only the CPU multiplies integers: what `auto` chose for it is floats elsewhere.
    baseWeights: device !== 'cpu' && isChosenInteger(hyperparameters, forecast) ? 'float32' : forecast.baseWeights,
    loss: specifyLoss(hyperparameters, architecture.config.vocabularySize),
  };
}

function isChosenInteger(
  hyperparameters: Pick<RunRecord['hyperparameters'], 'baseWeights'>,
  forecast: Pick<RunRecord['forecast'], 'baseWeights'>,
): boolean {
  return hyperparameters.baseWeights === 'auto' && forecast.baseWeights === '8bit';
}
