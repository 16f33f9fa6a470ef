/** @file A checked run -> how long its training will take on this machine, from a few seconds of its own engine, now or before. */
import type { PackedBatch, TeacherTokens } from '../../text/packedBatch.ts';
import type { TrainingEngineSettings } from '../../train/createTrainingEngine.ts';
import { measureSpeed, measureTeacherMs, type SpeedClock } from '../../train/measureSpeed.ts';
import { planTraining } from '../../train/trainPlan.ts';
import type { CheckedRun } from '../prepare/checkRun.ts';
import { engineSettings } from '../train/createRunEngine.ts';
import { keepRunSpeed, type RunSpeed, recallRunSpeed } from './runSpeeds.ts';

/**
 * Milliseconds of all steps and held-out evaluations, and of the pass over the data that `dpo` and `distill` begin with;
 * loading and early stopping left aside. Null where there is nothing to train on, and for PyTorch and a graphics card that
 * is named, which are not measured: the time is the processor's, which `auto` leaves only where a card is faster. What was measured is kept for `recallTrainingMs`.
 */
export async function forecastTrainingMs(checked: CheckedRun, clock: SpeedClock): Promise<number | null> {
  if (!hasTime(checked)) return null;
  const speed = await measureRun(checked, clock);
  keepRunSpeed(checked, speed);
  return addUp(checked, speed);
}

/** The same from what was measured before, without an engine; null where nothing was. */
export function recallTrainingMs(checked: CheckedRun): number | null {
  const speed = hasTime(checked) ? recallRunSpeed(checked) : undefined;
  return speed === undefined ? null : addUp(checked, speed);
}

function hasTime({ batches, engine, request }: CheckedRun): boolean {
  const { device } = request.hyperparameters;
  return batches.totalSteps > 0 && engine.engine !== 'pytorch' && (device === 'auto' || device === 'cpu');
}

function addUp({ request, batches }: CheckedRun, { batchMs, updateMs, evaluationBatchMs, readMs }: RunSpeed): number {
  const { totalSteps, heldOut, stepsPerEpoch } = batches;
  const { hyperparameters } = request;
  const stepBatches = batches.stepBatches(1).batches.length;
  const evaluations = 1 + Math.ceil(totalSteps / planTraining(hyperparameters, totalSteps).evalEverySteps);
  const read = Math.min(totalSteps, stepsPerEpoch) * stepBatches + heldOut.length;
  return (
    read * readMs + totalSteps * (stepBatches * batchMs + updateMs) + evaluations * heldOut.length * evaluationBatchMs
  );
}

async function measureRun(checked: CheckedRun, clock: SpeedClock): Promise<RunSpeed> {
  const { request, batches, forecast } = checked;
  const { hyperparameters } = request;
  const settings = engineSettings({ ...checked, record: { hyperparameters, forecast }, start: undefined }, 'cpu');
  const first = addTeacherTokens(batches.stepBatches(1).batches[0]!, settings);
  const speed = await measureSpeed(settings, first, clock);
  const readMs =
    hyperparameters.objective === 'dpo'
      ? speed.evaluationBatchMs
      : await measureTeacherPass(checked, settings, first, clock);
  return { ...speed, readMs };
}

/** Milliseconds of a batch that a teacher reads first; 0 without one. */
async function measureTeacherPass(
  { teacher }: CheckedRun,
  { loss, batchRows, contextTokens, threads }: TrainingEngineSettings,
  batch: PackedBatch,
  clock: SpeedClock,
): Promise<number> {
  if (teacher === undefined || loss?.kind !== 'distillation') return 0;
  const { architecture: model, model: opened } = teacher;
  const { topK, temperature } = loss;
  const shape = { batchRows, contextTokens, threads };
  return measureTeacherMs({ model, weights: opened.weights, topK, temperature, ...shape }, batch, clock);
}

/** The batch as if a teacher had read it: what it says does not change what a step costs. */
function addTeacherTokens(batch: PackedBatch, { loss }: TrainingEngineSettings): PackedBatch {
  if (loss?.kind !== 'distillation') return batch;
  const { topK } = loss;
  const count = batch.labels.length * topK;
  const teacher: TeacherTokens = {
    topK,
    ids: Int32Array.from({ length: count }, (_, at) => at % topK),
    logProbabilities: new Float32Array(count).fill(-Math.log(topK)),
  };
  return { ...batch, teacher };
}
