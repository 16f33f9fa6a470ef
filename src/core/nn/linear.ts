/** @file Linear layers with an optional bias and an optional adapter. */
import type { Value } from '../graph/graph.ts';
import { add } from '../graph/operations/elementwise.ts';
import { type Adapter, adapt, type FrozenProduct } from './adapter.ts';

export interface LinearLayer {
  readonly product: FrozenProduct;
  /** [out] */
  readonly bias?: Value | undefined;
  readonly adapter?: Adapter | undefined;
}

/** What knows the linear layers of a model by their modules. */
export interface Projections {
  /**
   * Linear layers that read the same x, by module (`model.layers.0.self_attn.q_proj`): each with its weight in whatever
   * form the graph has it, its bias if the model has one, and its adapter. x [M, in] -> [M, out] for each module.
   */
  project(modules: readonly string[], x: Value): Value[];
}

/** Linear layers that read the same x [M, in] -> [M, out] each. */
export function applyLinear(x: Value, layers: readonly LinearLayer[]): Value[] {
  const adapted = layers.filter((layer): layer is LinearLayer & { adapter: Adapter } => layer.adapter !== undefined);
  const outputs = new Map<LinearLayer, Value>(adapt(x, adapted).map((output, index) => [adapted[index]!, output]));
  return layers.map(layer => {
    const output = outputs.get(layer) ?? layer.product(x);
    return layer.bias ? add(output, layer.bias) : output;
  });
}
