/**
 * @file A graph that a device computes wrongly -> the operation it computes wrongly. Every operation of the graph runs
 * on the device alone, on what the CPU says its inputs are, in the order of the graph.
 */

import { TuneError } from '../../shared/errors.ts';
import { emitOnnx } from '../graph/emitOnnx.ts';
import { Graph, type Node, type Value } from '../graph/graph.ts';
import type { OperationName } from '../graph/operationTable.ts';
import { symbolsOf } from '../graph/shape.ts';
import type { TrainingGraph } from '../models/trainingGraph.ts';
import { GraphSession, type SessionOptions } from '../runtime/graphSession.ts';
import { makeTensor, type RuntimeTensor } from '../runtime/tensor.ts';

export interface DifferingOperation {
  readonly operation: string;
  /** What the device said where it could not run it. */
  readonly failure?: string;
  /** The largest difference between device and CPU, relative to the CPU's largest element. */
  readonly difference?: number;
}

/** These order the computation and compute nothing. */
const passive: ReadonlySet<string> = new Set<OperationName>(['after']);

/** The first operation that differs by more than `tolerance`; undefined where each is right on its own. */
export async function findDifferingOperation(
  { graph, outputs }: TrainingGraph,
  feeds: Readonly<Record<string, RuntimeTensor>>,
  tolerance: number,
  options: SessionOptions,
): Promise<DifferingOperation | undefined> {
  const nodes = listNeededNodes(graph, outputs);
  const values = await computeValues(graph, nodes, feeds, options.threads);
  const seen = new Set<string>();
  for (const node of nodes) {
    const key = JSON.stringify([node.operation, node.inputs.map(({ dtype, shape }) => [dtype, shape])]);
    if (seen.has(key) || passive.has(node.operation)) continue;
    seen.add(key);
    try {
      const difference = await compareOperation(node, values, options);
      if (!(difference <= tolerance)) return { operation: node.operation, difference };
    } catch (error) {
      if (!(error instanceof TuneError)) throw error;
      return { operation: node.operation, failure: error.message };
    }
  }
  return undefined;
}

/** In the order of the graph. */
function listNeededNodes(graph: Graph, outputs: ReadonlyMap<string, Value>): Node[] {
  const needed = new Set<Node>();
  const add = ({ source }: Value): void => {
    if (source.kind === 'node') needed.add(source.node);
  };
  for (const output of outputs.values()) add(output);
  for (const node of [...graph.nodes].reverse()) if (needed.has(node)) node.inputs.forEach(add);
  return graph.nodes.filter(node => needed.has(node));
}

/** What the CPU computes of every value that is fed or made. */
async function computeValues(
  graph: Graph,
  nodes: readonly Node[],
  feeds: Readonly<Record<string, RuntimeTensor>>,
  threads: number | undefined,
): Promise<Map<Value, RuntimeTensor>> {
  const made = nodes.flatMap(node => node.outputs);
  const session = await GraphSession.create(
    emitOnnx(graph, new Map(made.map((value, index) => [`value ${index}`, value]))),
    { threads },
  );
  try {
    const results = await session.run(feeds);
    const fed = [...graph.inputs].flatMap(([name, value]): [Value, RuntimeTensor][] =>
      feeds[name] === undefined ? [] : [[value, feeds[name]]],
    );
    return new Map([...fed, ...made.map((value, index) => [value, results[`value ${index}`]!] as const)]);
  } finally {
    await session.release();
  }
}

async function compareOperation(
  node: Node,
  values: ReadonlyMap<Value, RuntimeTensor>,
  options: SessionOptions,
): Promise<number> {
  const alone = new Graph();
  const feeds: Record<string, RuntimeTensor> = {};
  const inputs = node.inputs.map((input, index) => {
    if (input.source.kind === 'constant') {
      const { dtype, values: numbers, shape } = input.source.data;
      return alone.constant(dtype, numbers, shape);
    }
    const name = `input ${index}`;
    feeds[name] = values.get(input)!;
    return alone.input(name, input.dtype, input.shape);
  });
  for (const [symbol, size] of readSymbols(values)) {
    // Lowerings read the size of a symbol off an input that has it as a dimension.
    alone.input(`size of ${symbol}`, 'int32', [symbol]);
    feeds[`size of ${symbol}`] = makeTensor('int32', new Int32Array(size), [size]);
  }
  const outputs = node.repeat(inputs);
  const session = await GraphSession.create(
    emitOnnx(alone, new Map(outputs.map((output, index) => [`output ${index}`, output]))),
    options,
  );
  try {
    const results = await session.run(feeds);
    return Math.max(
      ...node.outputs.map((output, index) => measureDifference(values.get(output)!, results[`output ${index}`]!)),
    );
  } finally {
    await session.release();
  }
}

function readSymbols(values: ReadonlyMap<Value, RuntimeTensor>): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const [{ shape }, { dims }] of values) {
    for (const [axis, dim] of shape.entries()) {
      if (typeof dim === 'string' && symbolsOf(dim).length === 1 && symbolsOf(dim)[0] === dim)
        sizes.set(dim, dims[axis]!);
    }
  }
  return sizes;
}

/** Infinite where an element is no number on one side alone. */
function measureDifference(expected: RuntimeTensor, got: RuntimeTensor): number {
  const [a, b] = [expected, got].map(({ data }) => Array.from(data as ArrayLike<number | bigint>, Number)) as [
    number[],
    number[],
  ];
  return relativeDifference(a, b);
}

/** The largest difference between two arrays, relative to the largest element of the first. */
export function relativeDifference(expected: ArrayLike<number>, got: ArrayLike<number>): number {
  let difference = expected.length === got.length ? 0 : Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [expected[i]!, got[i]!];
    if (Object.is(a, b)) continue;
    const apart = Math.abs(a - b);
    difference = Math.max(difference, Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart);
  }
  for (let i = 0; i < expected.length; i++)
    if (Number.isFinite(expected[i])) largest = Math.max(largest, Math.abs(expected[i]!));
  return difference === 0 ? 0 : difference / (largest || 1);
}
