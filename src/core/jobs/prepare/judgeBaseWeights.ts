/** @file A checked run whose base weights `auto` made 8-bit -> the same, or float32 where its rows do not bear the rounding. */
import { planMemory } from '../forecast/memoryPlan.ts';
import type { CheckedRun } from './checkRun.ts';

/** The most that rounding may change the base's loss on the run's rows. */
export const bearableRounding = 0.005;

export interface JudgedRun {
  readonly checked: CheckedRun;
  /** What was measured and follows from it; absent where nothing was. */
  readonly note?: string;
}

/** @param measure 8-bit loss / float loss - 1; absent: nothing is measured */
export async function judgeBaseWeights(
  checked: CheckedRun,
  measure: ((checked: CheckedRun) => Promise<number>) | undefined,
): Promise<JudgedRun> {
  const { request, forecast, architecture, model, teacher } = checked;
  const isChosen =
    checked.engine.engine === 'embedded' &&
    request.hyperparameters.baseWeights === 'auto' &&
    forecast.baseWeights === '8bit';
  if (!isChosen || measure === undefined) return { checked };
  const inFloats = planMemory(
    architecture,
    model.weights,
    { ...request.hyperparameters, baseWeights: 'float32', memoryLimitBytes: forecast.memoryLimitBytes },
    { teacher: teacher?.architecture },
  );
  if (inFloats.peakMemoryBytes > forecast.memoryLimitBytes) {
    return { checked, note: 'Base weights: 8bit was not compared with float32, which does not fit the memory limit.' };
  }
  const change = await measure(checked);
  const share = `${change < 0 ? '' : '+'}${(100 * change).toFixed(2)} %`;
  const told = `8-bit weights change the base's loss on this run's first rows by ${share}`;
  if (Math.abs(change) <= bearableRounding) return { checked, note: `Base weights: ${told}.` };
  const limit = `${100 * bearableRounding} %`;
  return {
    checked: { ...checked, forecast: { ...forecast, ...inFloats }, integerSpeedup: undefined },
    note: `Base weights: float32, chosen because ${told}, more than ${limit}; baseWeights=8bit takes them nevertheless.`,
  };
}
