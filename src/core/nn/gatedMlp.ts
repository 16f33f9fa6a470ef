/** @file The feed-forward half of a block: down(silu(gate(x)) x up(x)). @see https://arxiv.org/abs/2002.05202 */
import type { Value } from '../graph/graph.ts';
import { gatedSilu } from '../graph/operations/gatedActivation.ts';
import type { Projections } from './linear.ts';

/**
 * x [M, C] -> [M, C] through the feed-forward size F, by the modules gate_proj, up_proj and down_proj under `prefix`.
 * @param activate the gate's activation times what it gates
 */
export function gatedMlp(
  context: Projections,
  prefix: string,
  x: Value,
  activate: (gate: Value, up: Value) => Value = gatedSilu,
): Value {
  const [gate, up] = context.project([`${prefix}.gate_proj`, `${prefix}.up_proj`], x); // [M, F] each
  return context.project([`${prefix}.down_proj`], activate(gate!, up!))[0]!;
}
