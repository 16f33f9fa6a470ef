/** What a case of an operation is made of. */
import type { Graph, Value } from '../../../../src/core/graph/graph.ts';
import type { Shape } from '../../../../src/core/graph/shape.ts';
import { seededNumbers } from './seededNumbers.ts';

export interface CaseInput {
  readonly shape: Shape;
  readonly dtype: 'float' | 'int32' | 'int64' | 'uint8' | 'int8';
  readonly values: readonly number[];
}

export interface OperationCase {
  readonly title: string;
  readonly inputs: Readonly<Record<string, CaseInput>>;
  /** What the symbols in the shapes stand for. */
  readonly sizes?: Readonly<Record<string, number>>;
  readonly build: (values: Record<string, Value>, graph: Graph) => readonly Value[];
  readonly shapes: readonly Shape[];
  /** The outputs' elements from the inputs'. */
  readonly expected: (inputs: Record<string, readonly number[]>) => readonly (readonly number[])[];
  /** Inputs by which the outputs are differentiated; absent only for operations without gradient. */
  readonly differentiable?: readonly string[];
  /**
   * For operations that round, whose gradient passes straight through: the smooth function they stand for, and how far
   * from its gradient theirs may be, relative to its largest element. Takes the place of central differences.
   */
  readonly surrogate?: { readonly build: (values: Record<string, Value>) => Value; readonly tolerance: number };
  /** Outputs that carry gradients, all by default. */
  readonly differentiableOutputs?: readonly number[];
  /** The values are those of the reference to the last bit. */
  readonly isExact?: true;
  /** For operations that exist in float32 alone. */
  readonly floatTypes?: readonly ('float32' | 'float64')[];
}

let nextSeed = 1;
export function floats(shape: Shape, from = -1, to = 1, sizes: Record<string, number> = {}): CaseInput {
  const count = shape.reduce<number>((total, dim) => total * (typeof dim === 'number' ? dim : sizes[dim]!), 1);
  return { shape, dtype: 'float', values: seededNumbers(nextSeed++ * 7919, count, from, to) };
}
export const integers = (
  shape: Shape,
  values: readonly number[],
  dtype: Exclude<CaseInput['dtype'], 'float'> = 'int32',
): CaseInput => ({
  shape,
  dtype,
  values,
});
