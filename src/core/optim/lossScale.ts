/**
 * @file What half precision multiplies the loss by, so that small gradients do not round to zero on their way: as large as
 * gradients bear without overflow. A step whose gradients overflow changes nothing and halves the scale; many steps
 * without one double it, as torch.amp.GradScaler does. Powers of two, so that dividing by it rounds nothing.
 * @see https://arxiv.org/abs/1710.03740
 */
import { z } from 'zod';

export const lossScaleSchema = z.strictObject({
  scale: z.number().positive(),
  /** Steps since the last overflow or growth. */
  steadySteps: z.number().int().min(0),
  /** Steps that changed nothing, all in all. */
  skippedSteps: z.number().int().min(0),
});
export type LossScale = z.infer<typeof lossScaleSchema>;

const growsAfterSteps = 2000;
const largestScale = 2 ** 24;
/** Below, scaling is no cure: the gradients themselves are not finite. */
export const smallestScale = 1;

export const firstLossScale: LossScale = { scale: 2 ** 16, steadySteps: 0, skippedSteps: 0 };

export function afterSteadyStep({ scale, steadySteps, skippedSteps }: LossScale): LossScale {
  if (steadySteps + 1 < growsAfterSteps) return { scale, steadySteps: steadySteps + 1, skippedSteps };
  return { scale: Math.min(largestScale, 2 * scale), steadySteps: 0, skippedSteps };
}

export function afterOverflow({ scale, skippedSteps }: LossScale): LossScale {
  return { scale: scale / 2, steadySteps: 0, skippedSteps: skippedSteps + 1 };
}

/** Divides gradients of a scaled loss in place. */
export function unscaleGradients(parameters: readonly { readonly gradient: Float32Array }[], scale: number): void {
  const factor = 1 / scale;
  for (const { gradient } of parameters) for (let i = 0; i < gradient.length; i++) gradient[i]! *= factor;
}
