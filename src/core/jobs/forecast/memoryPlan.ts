/** @file The shape of a run -> the memory it will need, the limit it may use, and which engine fits. */
import type { Hyperparameters } from '../../../shared/hyperparameters.ts';
import type { Forecast } from '../../../shared/recipe.ts';
import type { TensorSource } from '../../formats/tensorSource.ts';
import { findBlockForm } from '../../formats/weightBlocks.ts';
import type { Model } from '../../models/findArchitecture.ts';
import { countBatchRows } from '../../text/pairBatches.ts';
import { forecastMemory } from '../../train/forecastMemory.ts';
import { forecastTeacher } from '../../train/forecastTeacher.ts';
import { holdWeights } from '../../train/holdWeights.ts';
import { listMatrices } from '../../train/planWeightForms.ts';
import { countFreeBytes } from './freeMemory.ts';

export type MemoryPlan = Pick<Forecast, 'peakMemoryBytes' | 'memoryLimitBytes' | 'plan' | 'baseWeights' | 'card'>;

export interface PlanCircumstances {
  readonly freeBytes?: number;
  readonly teacher?: Model | undefined;
  /** How many times faster this machine multiplies the model's layers as integers; absent: not known. */
  readonly integerSpeedup?: number | undefined;
  /** Of the data's tokens; absent: not known, all of them. */
  readonly supervisedShare?: number | undefined;
}

/** The products are two thirds of a step: from here on the step gains more than the slightly less exact gradient costs. */
export const worthwhileSpeedup = 1.5;

/**
 * The first of the ways to hold the weights and to run the layers that fits the limit, or the last; a teacher's own pass,
 * before it, may need more.
 * @param weights where the model's weights are stored; only their types are asked for
 */
export function planMemory(
  model: Model,
  weights: TensorSource,
  settings: Hyperparameters,
  { freeBytes = countFreeBytes(), teacher, integerSpeedup, supervisedShare }: PlanCircumstances = {},
): MemoryPlan {
  const memoryLimitBytes = settings.memoryLimitBytes ?? Math.floor(0.8 * freeBytes);
  // Only the CPU has kernels of integer products; another device would hand each of them back to it.
  const isOnCpu = settings.device === 'auto' || settings.device === 'cpu';
  const prefersIntegers = isOnCpu && (integerSpeedup ?? 1) >= worthwhileSpeedup;
  const ways = listWays(model, weights, settings, prefersIntegers).map(way => ({
    ...way,
    bytes: countBytes(model, weights, settings, way, supervisedShare),
  }));
  const { plan, baseWeights, bytes } = ways.find(way => way.bytes <= memoryLimitBytes) ?? ways.at(-1)!;
  const peakMemoryBytes = Math.max(bytes, teacher ? forecastTeacher(teacher, settings) : 0);
  return { plan, baseWeights, peakMemoryBytes, memoryLimitBytes };
}

type Way = Pick<MemoryPlan, 'plan' | 'baseWeights'>;

/**
 * The faster ways first. Weights that a file holds in blocks lose nothing there, and dequantizing costs less than computing
 * each layer twice; others would be rounded to 4 bit, which is the last resort.
 */
function listWays(
  model: Model,
  weights: TensorSource,
  { method, baseWeights }: Hyperparameters,
  prefersIntegers: boolean,
): Way[] {
  const of =
    (...plans: readonly Way['plan'][]) =>
    (held: Way['baseWeights']) =>
      plans.map(plan => ({ plan, baseWeights: held }));
  const both = of('whole', 'layered');
  if (method === 'full') return both('float32');
  if (baseWeights !== 'auto') return both(baseWeights);
  const isInBlocks = listMatrices(model).every(({ name }) => findBlockForm(weights.info(name).dtype) !== undefined);
  // Integers take less memory than floats: where they are faster, floats are not asked for.
  const fastest = prefersIntegers ? '8bit' : 'float32';
  if (!isInBlocks) return [...both(fastest), ...both('4bit')];
  return [...of('whole')(fastest), ...of('whole')('4bit'), ...of('layered')(fastest), ...of('layered')('4bit')];
}

function countBytes(
  model: Model,
  weights: TensorSource,
  settings: Hyperparameters,
  way: Way,
  supervisedShare: number | undefined,
): number {
  const held = holdWeights(model, weights, settings, way.baseWeights);
  const request = { ...settings, model: held.model, batchRows: countBatchRows(settings), supervisedShare };
  return forecastMemory(request).totalBytes[way.plan];
}
