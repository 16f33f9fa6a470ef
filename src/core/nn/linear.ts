/** @file A linear layer with an optional bias and an optional LoRA adapter. */
import type { Value } from '../graph/graph.ts';
import { add } from '../graph/operations/elementwise.ts';
import { type LoraAttributes, loraLinear } from '../graph/operations/loraLinear.ts';
import { matmul } from '../graph/operations/matmul.ts';

export interface LoraParameters extends LoraAttributes {
  /** [R, in] */
  readonly a: Value;
  /** [out, R] */
  readonly b: Value;
}

export interface LinearParameters {
  /** [out, in], as stored: there is one copy, read by forward and backward products. */
  readonly weight: Value;
  /** [out] */
  readonly bias?: Value | undefined;
  readonly lora?: LoraParameters | undefined;
}

/** What knows the linear layers of a model by their modules. */
export interface Projections {
  /**
   * Linear layers that read the same x, by module (`model.layers.0.self_attn.q_proj`): each with its weight in whatever
   * form the graph has it, its bias if the model has one, and its adapter. x [M, in] -> [M, out] for each module.
   */
  project(modules: readonly string[], x: Value): Value[];
}

/** x [M, in] -> [M, out]. With an adapter the weight itself gets no gradient. */
export function linear(x: Value, { weight, bias, lora }: LinearParameters): Value {
  const product = lora
    ? loraLinear(x, weight, lora.a, lora.b, { scale: lora.scale, path: lora.path })
    : matmul(x, weight, { transposeB: true });
  return bias ? add(product, bias) : product;
}
