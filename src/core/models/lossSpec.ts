/** @file Which loss stands at the end of a training graph. */
import type { SoftTargets } from '../graph/operations/softTargets.ts';

export type LossSpec =
  /** The negative log-likelihood of the labels. */
  | { readonly kind: 'crossEntropy' }
  /** Direct preference optimisation over pairs of answers. @see https://arxiv.org/abs/2305.18290 */
  | { readonly kind: 'preference'; readonly beta: number; readonly labelSmoothing: number }
  /** (1 - share) x the same + share x T^2 x divergence from a teacher's likeliest tokens. */
  | ({ readonly kind: 'distillation' } & SoftTargets & { readonly topK: number })
  /** No loss: a teacher's likeliest tokens at each label. */
  | { readonly kind: 'topTokens'; readonly count: number; readonly temperature: number };

export const plainLoss: LossSpec = { kind: 'crossEntropy' };
