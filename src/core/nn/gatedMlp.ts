/** @file The feed-forward half of a block: down(silu(gate(x)) x up(x)). @see https://arxiv.org/abs/2002.05202 */
import type { Value } from '../graph/graph.ts';
import { gatedSilu } from '../graph/operations/gatedSilu.ts';
import { type LinearParameters, linear } from './linear.ts';

export interface GatedMlpParameters {
  readonly gate: LinearParameters;
  readonly up: LinearParameters;
  readonly down: LinearParameters;
}

/** x [M, C] -> [M, C] through the feed-forward size F. */
export function gatedMlp(x: Value, { gate, up, down }: GatedMlpParameters): Value {
  const hidden = gatedSilu(linear(x, gate), linear(x, up)); // [M, F]
  return linear(hidden, down);
}
