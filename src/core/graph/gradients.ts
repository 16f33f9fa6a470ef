/** @file Reverse-mode automatic differentiation: a graph with a scalar in it -> the same graph with its gradients. */
import type { Node, Value } from './graph.ts';
import { after } from './operations/after.ts';
import { add } from './operations/elementwise.ts';
import { formatShape, isSameShape } from './shape.ts';

/** A value and the derivative of the scalar of interest with respect to it. */
export interface GradientSeed {
  readonly value: Value;
  readonly gradient: Value;
}

/**
 * The derivatives of a scalar with respect to each of `wrt`, in that order, as values of the same graph.
 * @param target the scalar itself, or values whose derivatives are already known (a layer's output)
 * @param frontier values beyond which nothing flows, though what made them depends on `wrt`
 * @param recomputed names of operations whose results the way back computes again instead of keeping them
 *
 * 1. Find the values on a way from `wrt` (only those get gradients).
 * 2. Walk the nodes backwards; each turns the gradients of its outputs into those of its inputs.
 * 3. Sum what arrives at a value from several uses.
 */
export function computeGradients(
  target: Value | readonly GradientSeed[],
  wrt: readonly Value[],
  frontier: readonly Value[] = [],
  recomputed: ReadonlySet<string> = new Set(),
): Value[] {
  const seeds = 'graph' in target ? [{ value: target, gradient: target.graph.scalar(1) }] : target;
  const graph = seeds[0]?.value.graph;
  if (!graph) throw new Error('internal: gradients: expected at least one seed');
  const nodes = [...graph.nodes];
  const active = findActiveValues(nodes, wrt);

  const gradients = new Map<Value, Value>();
  const accumulate = (value: Value, gradient: Value): void => {
    if (!isSameShape(value.shape, gradient.shape)) {
      const shapes = `${formatShape(value.shape)}, got ${formatShape(gradient.shape)}`;
      throw new Error(`internal: gradient: expected the value's shape ${shapes}`);
    }
    const sum = gradients.get(value);
    gradients.set(value, sum ? addGradient(sum, gradient) : gradient);
  };
  for (const seed of seeds) accumulate(seed.value, seed.gradient);
  const repetition = new Repetition(recomputed);

  for (const node of nodes.reverse()) {
    const flows = (output: Value): boolean => active.has(output) && gradients.has(output) && !frontier.includes(output);
    if (!node.outputs.some(flows)) continue;
    const outputGradients = node.outputs.map(output => gradients.get(output));
    const inputs = node.inputs.map(input => repetition.of(input, outputGradients));
    const inputGradients = node.gradient(outputGradients, inputs);
    for (const [index, input] of node.inputs.entries()) {
      const gradient = inputGradients[index];
      if (gradient && active.has(input)) accumulate(input, gradient);
    }
  }

  return wrt.map((value, index) => {
    const gradient = gradients.get(value);
    if (!gradient)
      throw new Error(`internal: gradients: value ${index} of ${wrt.length} has no influence on the target`);
    return gradient;
  });
}

/** What makes `gradient` may add to the sum while it computes; alone it is then read by nothing, and left out. */
function addGradient(sum: Value, gradient: Value): Value {
  const { source } = gradient;
  return (source.kind === 'node' ? source.node.addTo?.(sum) : undefined) ?? add(sum, gradient);
}

function findActiveValues(nodes: readonly Node[], wrt: readonly Value[]): Set<Value> {
  const active = new Set(wrt);
  for (const node of nodes) {
    if (node.inputs.some(input => active.has(input))) for (const output of node.outputs) active.add(output);
  }
  return active;
}

/** Values computed a second time, once for all that read them on the way back, and not before the first of these can run. */
class Repetition {
  private readonly operations: ReadonlySet<string>;
  private readonly repeated = new Map<Node, readonly Value[]>();

  constructor(operations: ReadonlySet<string>) {
    this.operations = operations;
  }

  /** What stands for `value` in the gradient of a node with these output gradients. */
  of(value: Value, outputGradients: readonly (Value | undefined)[]): Value {
    if (value.source.kind !== 'node' || !this.operations.has(value.source.node.operation)) return value;
    const { node, outputIndex } = value.source;
    const dependency = outputGradients.find(gradient => gradient !== undefined)!;
    const [first, ...others] = node.inputs;
    const outputs = this.repeated.get(node) ?? node.repeat([after(first!, dependency), ...others]);
    this.repeated.set(node, outputs);
    return outputs[outputIndex]!;
  }
}
