/**
 * @file Step number -> learning rate: linear warmup from zero, then cosine or linear decay to zero, or constant. The
 * decay equals transformers' get_cosine_schedule_with_warmup and get_linear_schedule_with_warmup; the warmup differs
 * on purpose: its first step is not zero, because a step that changes nothing is a step wasted.
 */

export interface LearningRateSchedule {
  readonly learningRate: number;
  readonly schedule: 'cosine' | 'linear' | 'constant';
  readonly warmupSteps: number;
  readonly totalSteps: number;
}

/** Whole warmup steps for a ratio of the run. */
export function countWarmupSteps(warmupRatio: number, totalSteps: number): number {
  return Math.min(totalSteps, Math.round(warmupRatio * totalSteps));
}

/** The learning rate of optimizer step `step`, counted from 1. */
export function learningRateAt(step: number, plan: LearningRateSchedule): number {
  if (step <= plan.warmupSteps) return (plan.learningRate * step) / (plan.warmupSteps + 1);
  const decaySteps = Math.max(1, plan.totalSteps - plan.warmupSteps);
  const progress = Math.min(1, (step - 1 - plan.warmupSteps) / decaySteps);
  switch (plan.schedule) {
    case 'constant':
      return plan.learningRate;
    case 'linear':
      return plan.learningRate * (1 - progress);
    case 'cosine':
      return plan.learningRate * 0.5 * (1 + Math.cos(Math.PI * progress));
  }
}
