/** @file A checked run -> how long its training will take on this machine, from a few seconds of its own engine. */
import type { PackedBatch, TeacherTokens } from '../../text/packedBatch.ts';
import type { TrainingEngineSettings } from '../../train/createTrainingEngine.ts';
import { measureSpeed, measureTeacherMs, type SpeedClock } from '../../train/measureSpeed.ts';
import { planTraining } from '../../train/trainPlan.ts';
import type { CheckedRun } from '../prepare/checkRun.ts';
import { engineSettings } from '../train/createRunEngine.ts';

/**
 * Milliseconds of all steps and held-out evaluations, and of the pass over the data that `dpo` and `distill` begin with;
 * loading and early stopping left aside. Null where there is nothing to train on, and for PyTorch, which is not measured.
 */
export async function forecastTrainingMs(checked: CheckedRun, clock: SpeedClock): Promise<number | null> {
  const { request, batches, forecast } = checked;
  const { hyperparameters } = request;
  if (batches.totalSteps === 0 || checked.engine.engine === 'pytorch') return null;
  const settings = engineSettings({ ...checked, record: { hyperparameters, forecast }, start: undefined }, 'cpu');
  const step = batches.stepBatches(1).batches;
  const first = addTeacherTokens(step[0]!, settings);
  const speed = await measureSpeed(settings, first, clock);
  const plan = planTraining(hyperparameters, batches.totalSteps);
  const evaluations = 1 + Math.ceil(batches.totalSteps / plan.evalEverySteps);
  const stepMs = step.length * speed.batchMs + speed.updateMs;
  const readMs =
    hyperparameters.objective === 'dpo'
      ? speed.evaluationBatchMs
      : await measureTeacherPass(checked, settings, first, clock);
  const read = Math.min(batches.totalSteps, batches.stepsPerEpoch) * step.length + batches.heldOut.length;
  return read * readMs + batches.totalSteps * stepMs + evaluations * batches.heldOut.length * speed.evaluationBatchMs;
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
