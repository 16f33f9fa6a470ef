/** @file Which loss stands at the end of a training graph. */

export type LossSpec =
  /** The negative log-likelihood of the labels. */
  | { readonly kind: 'crossEntropy' }
  /** Direct preference optimisation over pairs of answers. @see https://arxiv.org/abs/2305.18290 */
  | { readonly kind: 'preference'; readonly beta: number; readonly labelSmoothing: number };

export const plainLoss: LossSpec = { kind: 'crossEntropy' };
