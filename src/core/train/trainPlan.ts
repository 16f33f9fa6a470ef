/** @file Hyperparameters and the number of steps -> when to evaluate, save and stop. */
import type { Hyperparameters } from '../../shared/hyperparameters.ts';
import { countWarmupSteps, type LearningRateSchedule } from '../optim/learningRate.ts';

export interface TrainPlan {
  readonly totalSteps: number;
  readonly learningRate: LearningRateSchedule;
  readonly evalEverySteps: number;
  readonly saveEverySteps: number;
  readonly patience: number;
}

/** Evaluates a tenth of the run apart and saves with each evaluation, unless told otherwise. */
export function planTraining(settings: Hyperparameters, totalSteps: number): TrainPlan {
  const evalEverySteps = settings.evalEverySteps ?? Math.max(1, Math.round(totalSteps / 10));
  return {
    totalSteps,
    learningRate: {
      learningRate: settings.learningRate,
      schedule: settings.schedule,
      warmupSteps: countWarmupSteps(settings.warmupRatio, totalSteps),
      totalSteps,
    },
    evalEverySteps,
    saveEverySteps: settings.saveEverySteps ?? evalEverySteps,
    patience: settings.earlyStoppingPatience,
  };
}

export function isEvaluationStep(step: number, plan: TrainPlan): boolean {
  return step % plan.evalEverySteps === 0 || step === plan.totalSteps;
}

export function isSaveStep(step: number, plan: TrainPlan): boolean {
  return step > 0 && (step % plan.saveEverySteps === 0 || step === plan.totalSteps);
}
