/** @file The batches of one optimizer step -> updated parameters: accumulate, clip, AdamW. */
import type { Measures } from '../../shared/runFolder.ts';
import type { AdamW } from '../optim/adamW.ts';
import { clipFactor, computeGradientNorm } from '../optim/gradientNorm.ts';
import { smallestScale, unscaleGradients } from '../optim/lossScale.ts';
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
  /** What the loss is multiplied by on the way back; absent: half precision is not used, and no step is skipped. */
  readonly lossScale?: number | undefined;
  /** Which update of the parameters this is, from 1; default the step's number. */
  readonly update?: number | undefined;
  /** Gives the adapters' ranks to where they matter. */
  readonly allocator?: RankAllocator | undefined;
}

export interface StepOutcome {
  /** Mean over the step's supervised tokens (or pairs of answers), whatever the number of batches. */
  readonly lossNats: number;
  /** Before clipping; 0 of a step that was skipped. */
  readonly gradNorm: number;
  /** The gradients of the scaled loss overflowed, and the parameters stayed as they were. */
  readonly isSkipped: boolean;
  readonly supervisedTokens: number;
  /** Not padding. */
  readonly tokens: number;
  /** Means of what else the objective measures. */
  readonly measures: Measures;
}

/** Parameters stay as they were when the loss or the gradient is not finite. @throws TuneError `not-finite` */
export async function runStep(engine: TrainingEngine, optimizer: AdamW, input: StepInput): Promise<StepOutcome> {
  const { step, batches, clues, lossScale, update = step } = input;
  const weightSum = batches.reduce((sum, batch) => sum + weighBatch(batch), 0);
  engine.zeroGradients();
  let lossNatsSum = 0;
  const sums = new MeasureSums();
  for (const [microBatch, batch] of batches.entries()) {
    const loss = await engine.accumulate(batch, (lossScale ?? 1) / weightSum, { step, microBatch });
    lossNatsSum += checkFinite('loss', step, loss.lossNatsSum, clues);
    sums.add(loss);
  }
  if (lossScale !== undefined) unscaleGradients(engine.parameters, lossScale);
  input.allocator?.addOrthogonality();
  const norm = computeGradientNorm(engine.parameters);
  const isSkipped = lossScale !== undefined && lossScale > smallestScale && !Number.isFinite(norm);
  const gradNorm = isSkipped ? 0 : checkFinite('gradient', step, norm, clues);
  if (!isSkipped) {
    const factor = clipFactor(gradNorm, input.clipNorm);
    optimizer.update(update, input.learningRate, factor);
    input.allocator?.allocate(step, factor);
  }
  return {
    lossNats: lossNatsSum / weightSum,
    gradNorm,
    isSkipped,
    supervisedTokens: batches.reduce((sum, batch) => sum + batch.labels.length, 0),
    tokens: batches.reduce((sum, batch) => sum + batch.tokens, 0),
    measures: sums.means(),
  };
}
