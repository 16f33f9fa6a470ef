/** @file The batches of one optimizer step -> updated parameters: accumulate, clip, AdamW. */
import type { Measures } from '../../shared/runFolder.ts';
import type { AdamW } from '../optim/adamW.ts';
import { clipFactor, computeGradientNorm } from '../optim/gradientNorm.ts';
import type { RankAllocator } from '../optim/rankAllocator.ts';
import { type PackedBatch, weighBatch } from '../text/packedBatch.ts';
import { checkFinite, type DivergenceClues } from './checkFinite.ts';
import { MeasureSums } from './measureSums.ts';
import type { TrainingEngine } from './trainingEngine.ts';

export interface StepInput {
  /** Counted from 1. */
  readonly step: number;
  readonly batches: readonly PackedBatch[];
  readonly learningRate: number;
  readonly clipNorm: number;
  readonly clues: DivergenceClues;
  /** Gives the adapters' ranks to where they matter. */
  readonly allocator?: RankAllocator | undefined;
}

export interface StepOutcome {
  /** Mean over the step's supervised tokens (or pairs of answers), whatever the number of batches. */
  readonly lossNats: number;
  /** Before clipping. */
  readonly gradNorm: number;
  readonly supervisedTokens: number;
  /** Not padding. */
  readonly tokens: number;
  /** Means of what else the objective measures. */
  readonly measures: Measures;
}

/** Parameters stay as they were when the loss or the gradient is not finite. @throws TuneError `not-finite` */
export async function runStep(engine: TrainingEngine, optimizer: AdamW, input: StepInput): Promise<StepOutcome> {
  const { step, batches, clues } = input;
  const weightSum = batches.reduce((sum, batch) => sum + weighBatch(batch), 0);
  engine.zeroGradients();
  let lossNatsSum = 0;
  const sums = new MeasureSums();
  for (const [microBatch, batch] of batches.entries()) {
    const loss = await engine.accumulate(batch, 1 / weightSum, { step, microBatch });
    lossNatsSum += checkFinite('loss', step, loss.lossNatsSum, clues);
    sums.add(loss);
  }
  input.allocator?.addOrthogonality();
  const gradNorm = checkFinite('gradient', step, computeGradientNorm(engine.parameters), clues);
  const factor = clipFactor(gradNorm, input.clipNorm);
  optimizer.update(step, input.learningRate, factor);
  input.allocator?.allocate(step, factor);
  return {
    lossNats: lossNatsSum / weightSum,
    gradNorm,
    supervisedTokens: batches.reduce((sum, batch) => sum + batch.labels.length, 0),
    tokens: batches.reduce((sum, batch) => sum + batch.tokens, 0),
    measures: sums.means(),
  };
}
