/** @file Held-out batches -> their mean loss; forward only, never more than one batch in memory. */
import type { Measures } from '../../shared/runFolder.ts';
import type { PackedBatch } from '../text/packedBatch.ts';
import { MeasureSums } from './measureSums.ts';
import type { TrainingEngine } from './trainingEngine.ts';

export interface HeldOutLoss {
  /** Mean over all supervised tokens (or pairs of answers), not over batches. */
  readonly evalLossNats: number;
  readonly supervisedTokens: number;
  /** Means of what else the objective measures. */
  readonly measures: Measures;
}

/** Batches of which only one needs to be in memory. */
export interface PackedBatches extends Iterable<PackedBatch> {
  readonly length: number;
}

/** Yields how many batches are done; returns undefined when `isInterrupted` said so in between. */
export async function* evaluateHeldOut(
  engine: Pick<TrainingEngine, 'evaluate'>,
  batches: PackedBatches,
  isInterrupted: () => boolean,
): AsyncGenerator<{ done: number; total: number }, HeldOutLoss | undefined> {
  let lossNatsSum = 0;
  let weightSum = 0;
  let supervisedTokens = 0;
  const sums = new MeasureSums();
  let done = 0;
  for (const batch of batches) {
    if (isInterrupted()) return undefined;
    const loss = await engine.evaluate(batch);
    lossNatsSum += loss.lossNatsSum;
    weightSum += loss.weightSum;
    supervisedTokens += batch.labels.length;
    sums.add(loss);
    yield { done: ++done, total: batches.length };
  }
  return { evalLossNats: lossNatsSum / weightSum, supervisedTokens, measures: sums.means() };
}
