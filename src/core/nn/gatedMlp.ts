/** @file The feed-forward half of a block: down(silu(gate(x)) x up(x)). @see https://arxiv.org/abs/2002.05202 */
import type { Value } from '../graph/graph.ts';
import { gatedSilu } from '../graph/operations/gatedSilu.ts';
import type { Projections } from './linear.ts';

/** x [M, C] -> [M, C] through the feed-forward size F, by the modules gate_proj, up_proj and down_proj under `prefix`. */
export function gatedMlp(context: Projections, prefix: string, x: Value): Value {
  const [gate, up] = context.project([`${prefix}.gate_proj`, `${prefix}.up_proj`], x); // [M, F] each
  return context.project([`${prefix}.down_proj`], gatedSilu(gate!, up!))[0]!;
}
