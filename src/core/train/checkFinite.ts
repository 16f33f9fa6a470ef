/** @file A loss or gradient norm -> itself, or an error that names the step and the likely cause when it is not finite. */
import { TuneError } from '../../shared/errors.ts';
import type { Hyperparameters } from '../../shared/hyperparameters.ts';

export type DivergenceClues = Pick<Hyperparameters, 'method' | 'learningRate' | 'clipNorm'> & {
  /** Gradient norm of the step before; null at the first. */
  readonly previousGradNorm: number | null;
  /** The values were computed in float16. */
  readonly halfPrecision?: boolean | undefined;
};

/** Rates from which divergence is expected; ten times the sources' advice for each method. */
const highLearningRate = { lora: 2e-3, full: 2e-4 } as const;
const adviceLearningRate = { lora: '2e-4', full: '2e-5' } as const;
/** Above this a run counts as unstable. */
const unstableGradNorm = 100;

/** @throws TuneError `not-finite` */
export function checkFinite(what: string, step: number, value: number, clues: DivergenceClues): number {
  if (Number.isFinite(value)) return value;
  throw new TuneError('not-finite', `step ${step}: expected a finite ${what}, got ${value}`, {
    hint: guessCause(step, clues),
  });
}

function guessCause(step: number, clues: DivergenceClues): string {
  const { method, learningRate, clipNorm, previousGradNorm, halfPrecision } = clues;
  if (step === 0) return 'Likely cause: the model file holds values that are not finite; download it again.';
  if (halfPrecision) return "Likely cause: values beyond float16's range; set precision to float32.";
  if (learningRate > highLearningRate[method]) {
    return `Likely cause: the learning rate ${learningRate} is too high; try ${adviceLearningRate[method]}.`;
  }
  if (clipNorm === 0) return 'Likely cause: gradient clipping is off; set clipNorm to 1.';
  if (previousGradNorm !== null && previousGradNorm > unstableGradNorm) {
    const norm = previousGradNorm.toPrecision(3);
    return `Likely cause: training became unstable (gradient norm ${norm} a step before); try a lower learning rate than ${learningRate}.`;
  }
  return `Likely cause: the learning rate ${learningRate} is too high for this data; try a third of it.`;
}
