/** @file Held-out batches -> their mean loss; forward only, never more than one batch in memory. */
import type { PackedBatch } from '../text/packedBatch.ts';
import type { TrainingEngine } from './trainingEngine.ts';

export interface HeldOutLoss {
  /** Mean over all supervised tokens, not over batches. */
  readonly evalLossNats: number;
  readonly supervisedTokens: number;
}

/** Yields how many batches are done; returns undefined when `isInterrupted` said so in between. */
export async function* evaluateHeldOut(
  engine: Pick<TrainingEngine, 'evaluate'>,
  batches: readonly PackedBatch[],
  isInterrupted: () => boolean,
): AsyncGenerator<{ done: number; total: number }, HeldOutLoss | undefined> {
  let lossNatsSum = 0;
  let weightSum = 0;
  let supervisedTokens = 0;
  for (const [index, batch] of batches.entries()) {
    if (isInterrupted()) return undefined;
    const loss = await engine.evaluate(batch);
    lossNatsSum += loss.lossNatsSum;
    weightSum += loss.weightSum;
    supervisedTokens += batch.labels.length;
    yield { done: index + 1, total: batches.length };
  }
  return { evalLossNats: lossNatsSum / weightSum, supervisedTokens };
}
