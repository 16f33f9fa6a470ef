/** @file The shape of a run -> the memory it will need, the limit it may use, and which engine fits. */
import type { PreflightFinding } from '../../shared/datasetProtocol.ts';
import { formatBytes } from '../../shared/formatBytes.ts';
import type { Hyperparameters } from '../../shared/hyperparameters.ts';
import type { Forecast } from '../../shared/recipe.ts';
import type { Model } from '../models/findArchitecture.ts';
import { countBatchRows } from '../text/pairBatches.ts';
import { forecastMemory } from '../train/forecastMemory.ts';
import { forecastTeacher } from '../train/forecastTeacher.ts';
import { countFreeBytes } from './freeMemory.ts';

export type MemoryPlan = Pick<Forecast, 'peakMemoryBytes' | 'memoryLimitBytes' | 'plan' | 'baseWeights'>;

/** The whole graph when it fits the limit, else layer by layer; a teacher's own pass, before it, may need more. */
export function planMemory(
  model: Model,
  settings: Hyperparameters,
  { freeBytes = countFreeBytes(), teacher }: { readonly freeBytes?: number; readonly teacher?: Model | undefined } = {},
): MemoryPlan {
  const memoryLimitBytes = settings.memoryLimitBytes ?? Math.floor(0.8 * freeBytes);
  const { totalBytes } = forecastMemory({ model, ...settings, batchRows: countBatchRows(settings) });
  const plan = totalBytes.whole <= memoryLimitBytes ? 'whole' : 'layered';
  const baseWeights = settings.baseWeights === 'auto' ? 'float32' : settings.baseWeights;
  const peakMemoryBytes = Math.max(totalBytes[plan], teacher ? forecastTeacher(teacher, settings) : 0);
  return { plan, baseWeights, peakMemoryBytes, memoryLimitBytes };
}

/** What refuses a run that does not fit, if it does not. */
export function findMemoryRefusal({ peakMemoryBytes, memoryLimitBytes }: MemoryPlan): PreflightFinding[] {
  if (peakMemoryBytes <= memoryLimitBytes) return [];
  return [
    {
      code: 'memory',
      message: `Memory: expected at most ${formatBytes(memoryLimitBytes)} (the limit), got a forecast of ${formatBytes(peakMemoryBytes)}.`,
      remedy:
        'Lower contextTokens or batchRows, train a LoRA adapter instead of all weights, choose a smaller model, or raise memoryLimitBytes.',
      override: 'memory',
    },
  ];
}
