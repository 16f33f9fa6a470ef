/**
 * @file A checked run that was given 8-bit base weights for their speed -> how far they change the base model's loss on the
 * run's own rows. What rounding does to the loss is the same for all rows of a kind: it averages out over mixed text, and
 * does not where every row says nearly the same. Only the rows themselves tell.
 */
import { plainLoss } from '../../models/lossSpec.ts';
import { createTrainingEngine } from '../../train/createTrainingEngine.ts';
import type { CheckedRun } from '../prepare/checkRun.ts';
import { engineSettings } from './createRunEngine.ts';

/** Batches that are measured, of the first steps. */
const batchCount = 2;

/** 8-bit loss / float loss - 1, of training's own forward pass before the first step. */
export async function measureRounding(checked: CheckedRun): Promise<number> {
  const { request, batches, forecast } = checked;
  const { hyperparameters } = request;
  const settings = engineSettings({ ...checked, record: { hyperparameters, forecast }, start: undefined }, 'cpu');
  const steps = Array.from({ length: Math.min(batchCount, batches.totalSteps) }, (_, step) => step + 1);
  const measured = steps.flatMap(step => batches.stepBatches(step).batches).slice(0, batchCount);
  const losses: number[] = [];
  for (const baseWeights of ['8bit', 'float32'] as const) {
    // Layer by layer takes less memory in floats than the run itself will.
    const changes = { loss: plainLoss, dropout: 0, baseWeights, shape: 'layered' } as const;
    const engine = await createTrainingEngine({ ...settings, ...changes });
    try {
      let lossNatsSum = 0;
      for (const batch of measured) lossNatsSum += (await engine.accumulate(batch, 1)).lossNatsSum;
      losses.push(lossNatsSum);
    } finally {
      await engine.dispose();
    }
  }
  return losses[0]! / losses[1]! - 1;
}
