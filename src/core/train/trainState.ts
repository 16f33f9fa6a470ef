/** @file Everything the loop remembers beside tensors: what a checkpoint stores and an exact resume starts from. */
import { z } from 'zod';
import { lossScaleSchema } from '../optim/lossScale.ts';

export const trainStateSchema = z.strictObject({
  /** Optimizer steps done. */
  step: z.number().int().min(0),
  /** The last step whose evaluation is complete; -1 before the base model's. */
  evaluatedStep: z.number().int().min(-1),
  baseEvalLossNats: z.number().nullable(),
  /** Lowest held-out loss after at least one step; the base model does not count. */
  bestStep: z.number().int().nullable(),
  bestEvalLossNats: z.number().nullable(),
  evaluationsSinceBest: z.number().int().min(0),
  lastLossNats: z.number().nullable(),
  /** Over all attempts. */
  elapsedMs: z.number().min(0),
  /** Of runs in half precision. */
  lossScale: lossScaleSchema.optional(),
});
export type TrainState = z.infer<typeof trainStateSchema>;

export const freshTrainState: TrainState = {
  step: 0,
  evaluatedStep: -1,
  baseEvalLossNats: null,
  bestStep: null,
  bestEvalLossNats: null,
  evaluationsSinceBest: 0,
  lastLossNats: null,
  elapsedMs: 0,
};

/** The state after a held-out evaluation at its step, and whether that is the best so far. */
export function withEvaluation(state: TrainState, evalLossNats: number): { state: TrainState; isBest: boolean } {
  const evaluated = { ...state, evaluatedStep: state.step };
  if (state.step === 0) return { state: { ...evaluated, baseEvalLossNats: evalLossNats }, isBest: false };
  const isBest = state.bestEvalLossNats === null || evalLossNats < state.bestEvalLossNats;
  return {
    isBest,
    state: isBest
      ? { ...evaluated, bestStep: state.step, bestEvalLossNats: evalLossNats, evaluationsSinceBest: 0 }
      : { ...evaluated, evaluationsSinceBest: state.evaluationsSinceBest + 1 },
  };
}
