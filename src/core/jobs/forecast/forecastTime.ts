/** @file A checked run -> how long its training will take on this machine, from a few seconds of its own engine. */
import { measureSpeed, type SpeedClock } from '../../train/measureSpeed.ts';
import { planTraining } from '../../train/trainPlan.ts';
import type { CheckedRun } from '../prepare/checkRun.ts';
import { engineSettings } from '../train/createRunEngine.ts';

/**
 * Milliseconds of all steps and held-out evaluations, loading and early stopping left aside; null where the objective has
 * a pass of its own over the data (`dpo`, `distill`) or there is nothing to train on.
 */
export async function forecastTrainingMs(checked: CheckedRun, clock: SpeedClock): Promise<number | null> {
  const { request, batches, forecast } = checked;
  const { hyperparameters } = request;
  if (hyperparameters.objective !== 'sft' || batches.totalSteps === 0) return null;
  const settings = engineSettings({ ...checked, record: { hyperparameters, forecast }, start: undefined }, 'cpu');
  const first = batches.stepBatches(1).batches;
  const speed = await measureSpeed(settings, first[0]!, clock);
  const plan = planTraining(hyperparameters, batches.totalSteps);
  const evaluations = 1 + Math.ceil(batches.totalSteps / plan.evalEverySteps);
  const stepMs = first.length * speed.batchMs + speed.updateMs;
  return batches.totalSteps * stepMs + evaluations * batches.heldOut.length * speed.evaluationBatchMs;
}
