/** For every operation of the table: small inputs, what should come out, and what it is differentiated by. */
import { applyOperation, type Value } from '../../../../src/core/graph/graph.ts';
import { after } from '../../../../src/core/graph/operations/after.ts';
import { expand, reduceSum } from '../../../../src/core/graph/operations/broadcast.ts';
import { crossEntropy } from '../../../../src/core/graph/operations/crossEntropy.ts';
import { dropout, droppedProduct } from '../../../../src/core/graph/operations/dropout.ts';
import {
  add,
  divide,
  exponential,
  logarithm,
  multiply,
  negate,
  sigmoid,
  subtract,
} from '../../../../src/core/graph/operations/elementwise.ts';
import { gatedGelu, gatedSilu } from '../../../../src/core/graph/operations/gatedActivation.ts';
import { gatherRows, scatterAddRows } from '../../../../src/core/graph/operations/gather.ts';
import { integerLinear } from '../../../../src/core/graph/operations/integerLinear.ts';
import { keepLast, separateRows } from '../../../../src/core/graph/operations/keepLast.ts';
import { addProduct, matmul } from '../../../../src/core/graph/operations/matmul.ts';
import { mergedLinear } from '../../../../src/core/graph/operations/mergedLinear.ts';
import { mergedNorms } from '../../../../src/core/graph/operations/mergedNorms.ts';
import { reshape, transpose } from '../../../../src/core/graph/operations/reshape.ts';
import { rmsNorm } from '../../../../src/core/graph/operations/rmsNorm.ts';
import { rotary } from '../../../../src/core/graph/operations/rotary.ts';
import { concatenate, pad, slice, split, takePositions } from '../../../../src/core/graph/operations/slice.ts';
import { softcap } from '../../../../src/core/graph/operations/softcap.ts';
import { topTokens } from '../../../../src/core/graph/operations/topTokens.ts';
import { type OperationName, operationTable } from '../../../../src/core/graph/operationTable.ts';
import { attentionCases } from './attentionCases.ts';
import { blockCases, blockLossCases } from './blockCases.ts';
import { type CaseInput, floats, integers, type OperationCase } from './caseInputs.ts';
import * as integers8 from './integerReference.ts';
import { packedCases } from './packedCases.ts';
import * as reference from './references.ts';
import { seededNumbers } from './seededNumbers.ts';

function binaryCases(build: (a: Value, b: Value) => Value, combine: (x: number, y: number) => number): OperationCase[] {
  const base = { differentiable: ['a', 'b'], build: ({ a, b }: Record<string, Value>) => [build(a!, b!)] };
  return [
    {
      ...base,
      title: 'of equal shapes',
      inputs: { a: floats([2, 3]), b: floats([2, 3], 0.5, 2) },
      shapes: [[2, 3]],
      expected: ({ a, b }) => [reference.zipWith(a!, b!, combine)],
    },
    {
      ...base,
      title: 'with a row broadcast over a symbolic number of rows',
      inputs: { a: floats(['N', 3], -1, 1, { N: 4 }), b: floats([3], 0.5, 2) },
      sizes: { N: 4 },
      shapes: [['N', 3]],
      expected: ({ a, b }) => [reference.zipWith(a!, b!, combine)],
    },
  ];
}

function unaryCases(build: (x: Value) => Value, f: (x: number) => number): OperationCase[] {
  return [
    {
      title: 'of each element',
      inputs: { x: floats([2, 4], 0.3, 2) },
      build: ({ x }) => [build(x!)],
      shapes: [[2, 4]],
      expected: ({ x }) => [x!.map(f)],
      differentiable: ['x'],
    },
  ];
}

/** All four ways to transpose, for matrices; the reference swaps first. */
const matmulCases: OperationCase[] = [false, true].flatMap(transposeA =>
  [false, true].map((transposeB): OperationCase => {
    const [m, k, n] = [3, 4, 2];
    return {
      title: `with transposeA ${transposeA}, transposeB ${transposeB}`,
      inputs: { a: floats(transposeA ? [k, m] : [m, k]), b: floats(transposeB ? [n, k] : [k, n]) },
      build: ({ a, b }) => [matmul(a!, b!, { transposeA, transposeB, factor: 0.5 })],
      shapes: [[m, n]],
      expected: ({ a, b }) => {
        const left = transposeA ? reference.swapReference(a!, k, m) : a!;
        const right = transposeB ? reference.swapReference(b!, n, k) : b!;
        return [reference.matmulReference(left, right, m, k, n).map(x => x / 2)];
      },
      differentiable: ['a', 'b'],
    };
  }),
);
matmulCases.push({
  title: 'of a batch with one matrix, transposed',
  inputs: { a: floats([2, 3, 4]), b: floats([5, 4]) },
  build: ({ a, b }) => [matmul(a!, b!, { transposeB: true, factor: 2 })],
  shapes: [[2, 3, 5]],
  expected: ({ a, b }) => [reference.matmulReference(a!, reference.swapReference(b!, 5, 4), 6, 4, 5).map(x => x * 2)],
  differentiable: ['a', 'b'],
});

const dropoutInputs = (): Record<string, CaseInput> => ({
  x: floats([3, 4]),
  masks: { shape: [3, 4], dtype: 'float', values: [2, 0, 0, 2, 0, 2, 2, 2, 0, 0, 2, 0] },
  rows: integers([3], [2, 0, 1]),
});
const dropoutReference = (x: readonly number[], masks: readonly number[], rows: readonly number[]): number[] =>
  x.map((value, at) => value * masks[rows[Math.floor(at / 4)]! * 4 + (at % 4)]!);
const droppedReference = (
  x: readonly number[],
  masks: readonly number[],
  rows: readonly number[],
  a: readonly number[],
): number[] => reference.matmulReference(dropoutReference(x, masks, rows), reference.swapReference(a, 2, 4), 3, 4, 2);

const lora = { rows: 5, inner: 4, out: 3, rank: 2, scale: 0.7 };
function loraReference(
  x: readonly number[],
  w: readonly number[],
  a: readonly number[],
  b: readonly number[],
): number[] {
  const { rows, inner, out, rank, scale } = lora;
  const change = reference.matmulReference(b, a, out, rank, inner);
  const merged = w.map((value, i) => value + scale * change[i]!);
  return reference.matmulReference(x, reference.swapReference(merged, out, inner), rows, inner, out);
}
const loraInputs = (): Record<string, CaseInput> => ({
  x: floats([lora.rows, lora.inner]),
  w: floats([lora.out, lora.inner]),
  a: floats([lora.rank, lora.inner]),
  b: floats([lora.out, lora.rank]),
});

const rotaryTables = (): Record<string, CaseInput> => {
  const angles = seededNumbers(5, 8, 0, 3);
  return {
    positions: integers([2, 3], [0, 1, 2, 0, 1, 3]),
    cosines: { shape: [4, 2], dtype: 'float', values: angles.map(Math.cos) },
    sines: { shape: [4, 2], dtype: 'float', values: angles.map(Math.sin) },
  };
};

const lossInputs = (): Record<string, CaseInput> => ({
  h: floats(['N', 4], -1, 1, { N: 5 }),
  w: floats([6, 4]),
  labels: integers(['N'], [0, 5, 2, 2, 1]),
  weights: floats(['N'], 0, 2, { N: 5 }),
});
const lossReference = ({ h, w, labels, weights }: Record<string, readonly number[]>, cap?: number): number[][] => {
  const losses = reference.crossEntropyReference(h!, w!, labels!, 4, cap);
  return [[losses.reduce((sum, loss, i) => sum + loss * weights![i]!, 0)], losses];
};
const shardedHead = { first: floats([4, 4]), second: floats([2, 4]) };
function lossCase(
  title: string,
  chunkRows: number,
  gradients: 'hidden' | 'hidden and weight',
  cap?: number,
): OperationCase {
  return {
    title,
    inputs: lossInputs(),
    sizes: { N: 5 },
    build: ({ h, w, labels, weights }) => {
      const loss = crossEntropy(h!, w!, labels!, weights!, { chunkRows, maxRows: 8, gradients, softcap: cap });
      return [loss.lossSum, loss.losses];
    },
    shapes: [[], ['N']],
    expected: inputs => lossReference(inputs, cap),
    differentiable: gradients === 'hidden' ? ['h'] : ['h', 'w'],
    differentiableOutputs: [0],
  };
}

/** Teachers that know 3 of 6 tokens, one of them surely, or all of them. */
const teacherOf = (count: number): Record<string, CaseInput> => {
  const ids = [0, 5, 2, 3, 1, 4].slice(0, count);
  const shares = count === 6 ? [0.4, 0.3, 0.1, 0.1, 0.06, 0.04] : [0.5, 0.2, 0.1];
  const rows = [0, 1, 2, 3, 4].map(row => (count < 6 && row === 3 ? [0.98, 0.01, 0.005] : shares));
  return {
    ids: integers(
      ['N', count],
      [0, 1, 2, 3, 4].flatMap(row => ids.map(id => (id + row) % 6)),
    ),
    logs: { shape: ['N', count], dtype: 'float', values: rows.flat().map(Math.log) },
  };
};

function distilledCase(
  title: string,
  gradients: 'hidden' | 'hidden and weight',
  softTargets: { share: number; temperature: number },
  {
    count = 3,
    chunkRows = 2,
    isSharded = false,
    cap,
  }: { count?: number; chunkRows?: number; isSharded?: boolean; cap?: number },
): OperationCase {
  const { h, w, labels, weights } = lossInputs();
  const head = isSharded ? shardedHead : { w: w! };
  const names = Object.keys(head);
  return {
    title,
    inputs: { h: h!, ...head, labels: labels!, weights: weights!, ...teacherOf(count) },
    sizes: { N: 5 },
    build: values => {
      const attributes = { chunkRows, maxRows: 8, gradients, softcap: cap, softTargets };
      const shards = names.map(name => values[name]!);
      const teacher = [values.ids!, values.logs!] as const;
      const loss = crossEntropy(values.h!, shards, values.labels!, values.weights!, attributes, teacher);
      return [loss.lossSum, loss.losses, loss.divergences!];
    },
    shapes: [[], ['N'], ['N']],
    expected: inputs => {
      const table = names.flatMap(name => inputs[name]!);
      const losses = reference.crossEntropyReference(inputs.h!, table, inputs.labels!, 4, cap);
      const products = reference.matmulReference(inputs.h!, reference.swapReference(table, 6, 4), 5, 4, 6);
      const logits = cap === undefined ? products : products.map(x => cap * Math.tanh(x / cap));
      const { share, temperature } = softTargets;
      const divergences = reference.divergenceReference(logits, inputs.ids!, inputs.logs!, count, temperature);
      const mixed = losses.map((loss, n) => (1 - share) * loss + share * temperature ** 2 * divergences[n]!);
      return [[mixed.reduce((sum, loss, n) => sum + loss * inputs.weights![n]!, 0)], losses, divergences];
    },
    differentiable: gradients === 'hidden' ? ['h'] : ['h', ...names],
    differentiableOutputs: [0],
  };
}

function topTokensCase(title: string, temperature: number, isSharded: boolean): OperationCase {
  const { h, w } = lossInputs();
  const head = isSharded ? shardedHead : { w: w! };
  const names = Object.keys(head);
  return {
    title,
    inputs: { h: h!, ...head },
    sizes: { N: 5 },
    build: values => {
      const attributes = { chunkRows: 2, maxRows: 8, count: 3, temperature };
      const { ids, logProbabilities } = topTokens(
        values.h!,
        names.map(name => values[name]!),
        attributes,
      );
      return [ids, logProbabilities];
    },
    shapes: [
      ['N', 3],
      ['N', 3],
    ],
    expected: inputs => {
      const table = names.flatMap(name => inputs[name]!);
      const logits = reference.matmulReference(inputs.h!, reference.swapReference(table, 6, 4), 5, 4, 6);
      const rows = [0, 1, 2, 3, 4].map(row => {
        const p = reference.softmaxReference(logits.slice(6 * row, 6 * row + 6).map(z => z / temperature));
        const ids = [...p.keys()].sort((a, b) => p[b]! - p[a]!).slice(0, 3);
        return { ids, logs: ids.map(id => Math.log(p[id]!)) };
      });
      return [rows.flatMap(({ ids }) => ids), rows.flatMap(({ logs }) => logs)];
    },
  };
}

const integer = { rows: 5, inner: 12, out: 6 };

type StepType = 'int8' | 'uint8';
const zeroOf = (stepType: StepType): number => (stepType === 'uint8' ? 128 : 0);
const toSigned = (steps: readonly number[], stepType: StepType): number[] => steps.map(step => step - zeroOf(stepType));

/** Rows with one element far larger than the others, as models have them, and a row of zeros. */
function integerInputs(stepType: StepType): Record<'x' | 'w' | 's', CaseInput> {
  const { rows, inner, out } = integer;
  const x = floats(['N', inner], -1, 1, { N: rows });
  const values = x.values.map((value, at) => (at < inner ? 0 : at % inner === 3 ? 20 * value : value));
  const steps = seededNumbers(7717, out * inner, -127.5, 127.5).map(value => Math.round(value) + zeroOf(stepType));
  return { x: { ...x, values }, w: integers([out, inner], steps, stepType), s: floats([out], 0.001, 0.02) };
}

/** x (w x scales)^T, which the integer product stands for. */
function floatLinear({ x, w, s }: Record<string, Value>, stepType: StepType): Value {
  const signed = subtract(w!, w!.graph.scalar(zeroOf(stepType)));
  return multiply(matmul(x!, signed, { transposeB: true }), s!);
}

function integerCase(stepType: StepType, terms: 1 | 2): OperationCase {
  const { rows, inner, out } = integer;
  return {
    title: `of rows in ${terms === 1 ? 'one term' : 'two terms'} with ${stepType} weights`,
    inputs: integerInputs(stepType),
    sizes: { N: rows },
    floatTypes: ['float32'],
    isExact: true,
    build: ({ x, w, s }) => [integerLinear(x!, w!, s!, { terms })],
    shapes: [['N', out]],
    expected: ({ x, w, s }) => [integers8.linearReference(x!, toSigned(w!, stepType), s!, { rows, inner, out, terms })],
    differentiable: ['x'],
    surrogate: { build: inputs => floatLinear(inputs, stepType), tolerance: 0.01 },
  };
}

const integerCases = [integerCase('int8', 1), integerCase('int8', 2), integerCase('uint8', 1), integerCase('uint8', 2)];

function shardedLossCase(title: string, cap?: number): OperationCase {
  const { h, labels, weights } = lossInputs();
  return {
    ...lossCase(title, 2, 'hidden and weight', cap),
    inputs: { h: h!, ...shardedHead, labels: labels!, weights: weights! },
    build: values => {
      const attributes = { chunkRows: 2, maxRows: 8, gradients: 'hidden and weight', softcap: cap } as const;
      const shards = [values.first!, values.second!];
      const loss = crossEntropy(values.h!, shards, values.labels!, values.weights!, attributes);
      return [loss.lossSum, loss.losses];
    },
    expected: ({ first, second, ...rest }) => lossReference({ ...rest, w: [...first!, ...second!] }, cap),
    differentiable: ['h', 'first', 'second'],
  };
}

/** A case of a kind of gate, and one of its gradient. */
function gateCases(
  kind: 'silu' | 'gelu',
  build: (gate: Value, up: Value) => Value,
  activate: (g: number) => number,
): { readonly forward: OperationCase; readonly gradient: OperationCase } {
  const gated = (g: readonly number[], u: readonly number[]): number[] =>
    reference.zipWith(g, u, (x, y) => activate(x) * y);
  const forward: OperationCase = {
    title: `${kind} of each element`,
    inputs: { gate: floats([3, 4], -3, 3), up: floats([3, 4]) },
    build: ({ gate, up }) => [build(gate!, up!)],
    shapes: [[3, 4]],
    expected: ({ gate, up }) => [gated(gate!, up!)],
    differentiable: ['gate', 'up'],
  };
  const gradient: OperationCase = {
    title: `${kind} of each element`,
    inputs: { gate: floats([2, 3], -3, 3), up: floats([2, 3]), dy: floats([2, 3]) },
    build: ({ gate, up, dy }) => applyOperation(operationTable.gatedActivationGradient, [gate!, up!, dy!], { kind }),
    shapes: [
      [2, 3],
      [2, 3],
    ],
    expected: ({ gate, up, dy }) => [
      reference.differentiate(moved => gated(moved, up!), gate!, dy!),
      reference.differentiate(moved => gated(gate!, moved), up!, dy!),
    ],
  };
  return { forward, gradient };
}

const siluCases = gateCases('silu', gatedSilu, g => g / (1 + Math.exp(-g)));
const geluCases = gateCases(
  'gelu',
  gatedGelu,
  g => (g * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (g + 0.044715 * g ** 3)))) / 2,
);

const capAt =
  (cap: number) =>
  (x: number): number =>
    cap * Math.tanh(x / cap);

export const operationCases: Record<OperationName, readonly OperationCase[]> = {
  after: [
    {
      title: 'hands on what it is given',
      inputs: { x: floats([2, 3]), dependency: floats([4]) },
      build: ({ x, dependency }) => [after(x!, dependency!)],
      shapes: [[2, 3]],
      expected: ({ x }) => [x!],
      differentiable: ['x'],
    },
  ],
  add: binaryCases(add, (x, y) => x + y),
  subtract: binaryCases(subtract, (x, y) => x - y),
  multiply: binaryCases(multiply, (x, y) => x * y),
  divide: binaryCases(divide, (x, y) => x / y),
  negate: unaryCases(negate, x => -x),
  exponential: unaryCases(exponential, Math.exp),
  logarithm: unaryCases(logarithm, Math.log),
  sigmoid: unaryCases(sigmoid, x => 1 / (1 + Math.exp(-x))),
  softcap: unaryCases(x => softcap(x, 1.5), capAt(1.5)),
  softcapGradient: [
    {
      title: 'of each element',
      inputs: { x: floats([2, 3], -3, 3), dy: floats([2, 3]) },
      build: ({ x, dy }) => applyOperation(operationTable.softcapGradient, [softcap(x!, 1.5), dy!], { cap: 1.5 }),
      shapes: [[2, 3]],
      expected: ({ x, dy }) => [reference.differentiate(moved => moved.map(capAt(1.5)), x!, dy!)],
    },
  ],
  reshape: [
    {
      title: 'with one dimension left open',
      inputs: { x: floats([2, 6]) },
      build: ({ x }) => [reshape(x!, [3, -1])],
      shapes: [[3, 4]],
      expected: ({ x }) => [x!],
      differentiable: ['x'],
    },
    {
      title: 'with two symbolic dimensions',
      inputs: { x: floats(['B', 'T', 4], -1, 1, { B: 2, T: 3 }) },
      sizes: { B: 2, T: 3 },
      build: ({ x }) => [reshape(reshape(x!, [-1, 4]), ['B', 'T', 2, 2])],
      shapes: [['B', 'T', 2, 2]],
      expected: ({ x }) => [x!],
      differentiable: ['x'],
    },
  ],
  transpose: [
    {
      title: 'of three axes',
      inputs: { x: floats([2, 3, 4]) },
      build: ({ x }) => [transpose(x!, [2, 0, 1])],
      shapes: [[4, 2, 3]],
      expected: ({ x }) => [reference.swapReference(x!, 6, 4)],
      differentiable: ['x'],
    },
  ],
  expand: [
    {
      title: 'to a symbolic shape',
      inputs: { x: floats([1, 3]), like: floats(['N', 3], -1, 1, { N: 2 }) },
      sizes: { N: 2 },
      build: ({ x, like }) => [multiply(expand(x!, ['N', 3]), like!)],
      shapes: [['N', 3]],
      expected: ({ x, like }) => [like!.map((value, i) => value * x![i % 3]!)],
      differentiable: ['x'],
    },
  ],
  reduceSum: [
    {
      title: 'over the last axis',
      inputs: { x: floats([2, 3]) },
      build: ({ x }) => [reduceSum(x!, [-1])],
      shapes: [[2, 1]],
      expected: ({ x }) => [[x![0]! + x![1]! + x![2]!, x![3]! + x![4]! + x![5]!]],
      differentiable: ['x'],
    },
  ],
  slice: [
    {
      title: 'in the middle of an axis',
      inputs: { x: floats([2, 4]) },
      build: ({ x }) => [slice(x!, 1, 1, 3)],
      shapes: [[2, 2]],
      expected: ({ x }) => [[x![1]!, x![2]!, x![5]!, x![6]!]],
      differentiable: ['x'],
    },
  ],
  pad: [
    {
      title: 'on both sides',
      inputs: { x: floats([2, 2]) },
      build: ({ x }) => [pad(x!, -1, 1, 2)],
      shapes: [[2, 5]],
      expected: ({ x }) => [[0, x![0]!, x![1]!, 0, 0, 0, x![2]!, x![3]!, 0, 0]],
      differentiable: ['x'],
    },
  ],
  split: [
    {
      title: 'into parts of unequal size',
      inputs: { x: floats(['N', 5], -1, 1, { N: 3 }) },
      sizes: { N: 3 },
      build: ({ x }) => split(x!, 1, [2, 3]),
      shapes: [
        ['N', 2],
        ['N', 3],
      ],
      expected: ({ x }) => [x!.filter((_, at) => at % 5 < 2), x!.filter((_, at) => at % 5 >= 2)],
      differentiable: ['x'],
    },
  ],
  concatenate: [
    {
      title: 'of unequal parts',
      inputs: { x: floats([2, 1]), y: floats([2, 2]) },
      build: ({ x, y }) => [concatenate([x!, y!], 1)],
      shapes: [[2, 3]],
      expected: ({ x, y }) => [[x![0]!, y![0]!, y![1]!, x![1]!, y![2]!, y![3]!]],
      differentiable: ['x', 'y'],
    },
  ],
  takePositions: [
    {
      title: 'from the end of a symbolic number of positions',
      inputs: {
        x: floats(['B', 'S', 2], -1, 1, { B: 2, S: 3 }),
        positions: integers(['W'], [-1, -3], 'int64'),
      },
      sizes: { B: 2, S: 3, W: 2 },
      build: ({ x, positions }) => [takePositions(x!, positions!)],
      shapes: [['B', 'W', 2]],
      expected: ({ x }) => [[4, 5, 0, 1, 10, 11, 6, 7].map(at => x![at]!)],
    },
  ],
  keepLast: [2, 0].map(count => ({
    title: count === 0 ? 'or all positions' : 'positions of a symbolic number',
    inputs: { x: floats(['B', 'S', 2], -1, 1, { B: 2, S: 3 }), count: integers([], [count], 'int64') },
    sizes: { B: 2, S: 3, kept: count || 3 },
    build: ({ x, count: wanted }) => [keepLast(x!, wanted!, 'kept')],
    shapes: [['B', 'kept', 2]],
    expected: ({ x }) => [(count === 0 ? [...x!.keys()] : [2, 3, 4, 5, 8, 9, 10, 11]).map(at => x![at]!)],
  })),
  separateRows: [
    {
      title: 'of a batch',
      inputs: { x: floats(['N', 2], -1, 1, { N: 6 }), ids: integers(['B'], [0, 0]) },
      sizes: { N: 6, B: 2, kept: 3 },
      build: ({ x }) => [separateRows(x!, 'B', 'kept')],
      shapes: [['B', 'kept', 2]],
      expected: ({ x }) => [x!],
    },
  ],
  gatherRows: [
    {
      title: 'with a row asked for twice',
      inputs: { table: floats([4, 2]), indices: integers(['N'], [2, 0, 2]) },
      sizes: { N: 3 },
      build: ({ table, indices }) => [gatherRows(table!, indices!)],
      shapes: [['N', 2]],
      expected: ({ table, indices }) => [indices!.flatMap(row => table!.slice(row * 2, row * 2 + 2))],
      differentiable: ['table'],
    },
    {
      title: 'from a table in shards',
      inputs: {
        first: floats([2, 3]),
        second: floats([1, 3]),
        third: floats([2, 3]),
        rows: integers([4], [4, 0, 2, 4]),
      },
      build: ({ first, second, third, rows }) => [gatherRows([first!, second!, third!], rows!)],
      shapes: [[4, 3]],
      expected: ({ first, second, third, rows }) => {
        const table = [...first!, ...second!, ...third!];
        return [rows!.flatMap(row => table.slice(row * 3, row * 3 + 3))];
      },
      differentiable: ['first', 'second', 'third'],
    },
  ],
  scatterAddRows: [
    {
      title: 'with rows that fall together',
      inputs: { rows: floats([2, 2, 3]), indices: integers([2, 2], [1, 3, 1, 1]) },
      build: ({ rows, indices }) => [scatterAddRows(rows!, indices!, 4)],
      shapes: [[4, 3]],
      expected: ({ rows, indices }) => {
        const table = new Array<number>(12).fill(0);
        for (const [at, row] of indices!.entries())
          for (let i = 0; i < 3; i++) table[row * 3 + i]! += rows![at * 3 + i]!;
        return [table];
      },
      differentiable: ['rows'],
    },
  ],
  matmul: matmulCases,
  addProduct: [false, true].map(transposed => ({
    title: transposed ? 'of transposed matrices' : 'of matrices',
    inputs: { c: floats([3, 2]), a: floats(transposed ? [4, 3] : [3, 4]), b: floats(transposed ? [2, 4] : [4, 2]) },
    build: ({ c, a, b }) => [addProduct(c!, a!, b!, { transposeA: transposed, transposeB: transposed, factor: 0.5 })],
    shapes: [[3, 2]],
    expected: ({ c, a, b }) => {
      const [left, right] = transposed
        ? [reference.swapReference(a!, 4, 3), reference.swapReference(b!, 2, 4)]
        : [a!, b!];
      return [reference.zipWith(c!, reference.matmulReference(left, right, 3, 4, 2), (x, y) => x + y / 2)];
    },
    differentiable: ['c', 'a', 'b'],
  })),
  dropout: [
    {
      title: 'by rows of a table of factors',
      inputs: dropoutInputs(),
      build: ({ x, masks, rows }) => [dropout(x!, masks!, rows!)],
      shapes: [[3, 4]],
      expected: ({ x, masks, rows }) => [dropoutReference(x!, masks!, rows!)],
      differentiable: ['x'],
    },
  ],
  dropoutGradient: [
    {
      title: 'by rows of a table of factors',
      inputs: dropoutInputs(),
      build: ({ x, masks, rows }) => applyOperation(operationTable.dropoutGradient, [x!, masks!, rows!], null),
      shapes: [[3, 4]],
      expected: ({ x, masks, rows }) => [dropoutReference(x!, masks!, rows!)],
    },
  ],
  droppedProduct: [
    {
      title: 'of dropped rows with a thin matrix',
      inputs: { ...dropoutInputs(), a: floats([2, 4]) },
      build: ({ x, masks, rows, a }) => [droppedProduct(x!, masks!, rows!, a!)],
      shapes: [[3, 2]],
      expected: ({ x, masks, rows, a }) => [droppedReference(x!, masks!, rows!, a!)],
      differentiable: ['x', 'a'],
    },
  ],
  droppedProductGradient: [
    {
      title: 'of dropped rows with a thin matrix',
      inputs: { ...dropoutInputs(), a: floats([2, 4]), dy: floats([3, 2]) },
      build: ({ x, masks, rows, a, dy }) =>
        applyOperation(operationTable.droppedProductGradient, [x!, masks!, rows!, a!, dy!], null),
      shapes: [
        [3, 4],
        [2, 4],
      ],
      expected: ({ x, masks, rows, a, dy }) => [
        reference.differentiate(moved => droppedReference(moved, masks!, rows!, a!), x!, dy!),
        reference.differentiate(moved => droppedReference(x!, masks!, rows!, moved), a!, dy!),
      ],
    },
  ],
  mergedLinear: [
    {
      title: 'of a weight and a low-rank addition',
      inputs: loraInputs(),
      build: ({ x, w, a, b }) => [mergedLinear(x!, w!, a!, b!, lora.scale)],
      shapes: [[lora.rows, lora.out]],
      expected: ({ x, w, a, b }) => [loraReference(x!, w!, a!, b!)],
      differentiable: ['x', 'a', 'b'],
    },
  ],
  mergedLinearGradient: [
    {
      title: 'of a weight and a low-rank addition',
      inputs: { ...loraInputs(), dy: floats([lora.rows, lora.out]) },
      build: ({ x, w, a, b, dy }) =>
        applyOperation(operationTable.mergedLinearGradient, [x!, w!, a!, b!, dy!], { scale: lora.scale }),
      shapes: [
        [lora.rows, lora.inner],
        [lora.rank, lora.inner],
        [lora.out, lora.rank],
      ],
      expected: ({ x, w, a, b, dy }) => [
        reference.differentiate(moved => loraReference(moved, w!, a!, b!), x!, dy!),
        reference.differentiate(moved => loraReference(x!, w!, moved, b!), a!, dy!),
        reference.differentiate(moved => loraReference(x!, w!, a!, moved), b!, dy!),
      ],
    },
  ],
  integerLinear: integerCases,
  integerLinearGradient: [
    {
      title: 'of rows',
      inputs: { ...integerInputs('uint8'), dy: floats([integer.rows, integer.out]) },
      sizes: { N: integer.rows },
      floatTypes: ['float32'],
      isExact: true,
      build: ({ w, s, dy }) => applyOperation(operationTable.integerLinearGradient, [w!, s!, dy!], {}),
      shapes: [[integer.rows, integer.inner]],
      expected: ({ w, s, dy }) => [integers8.linearGradientReference(toSigned(w!, 'uint8'), s!, dy!, integer)],
    },
  ],
  mergedNorms: [
    {
      title: 'of the rows of a weight with a low-rank addition',
      inputs: {
        w: floats([lora.out, lora.inner]),
        a: floats([lora.rank, lora.inner]),
        b: floats([lora.out, lora.rank]),
      },
      build: ({ w, a, b }) => {
        const squares = reshape(reduceSum(multiply(w!, w!), [1]), [lora.out]);
        return [mergedNorms(squares, matmul(a!, w!, { transposeB: true }), a!, b!, lora.scale)];
      },
      shapes: [[lora.out]],
      expected: ({ w, a, b }) => {
        const added = reference.matmulReference(b!, a!, lora.out, lora.rank, lora.inner);
        const merged = reference.zipWith(w!, added, (x, y) => x + lora.scale * y);
        return [
          Array.from({ length: lora.out }, (_, row) =>
            Math.hypot(...merged.slice(row * lora.inner, (row + 1) * lora.inner)),
          ),
        ];
      },
    },
  ],
  rmsNorm: [
    {
      title: 'of rows',
      inputs: { x: floats([3, 4]), w: floats([4], 0.5, 1.5) },
      build: ({ x, w }) => [rmsNorm(x!, w!, 0.125)],
      shapes: [[3, 4]],
      expected: ({ x, w }) => [reference.rmsNormReference(x!, w!, 0.125)],
      differentiable: ['x', 'w'],
    },
  ],
  rmsNormGradient: [
    {
      title: 'of rows',
      inputs: { x: floats([3, 4]), w: floats([4], 0.5, 1.5), dy: floats([3, 4]) },
      build: ({ x, w, dy }) => applyOperation(operationTable.rmsNormGradient, [x!, w!, dy!], { epsilon: 0.125 }),
      shapes: [[3, 4], [4]],
      expected: ({ x, w, dy }) => [
        reference.differentiate(moved => reference.rmsNormReference(moved, w!, 0.125), x!, dy!),
        reference.differentiate(moved => reference.rmsNormReference(x!, moved, 0.125), w!, dy!),
      ],
    },
  ],
  rotary: [
    {
      title: 'of two heads at restarting positions',
      inputs: { x: floats([6, 8]), ...rotaryTables() },
      build: ({ x, positions, cosines, sines }) => [rotary(x!, positions!, cosines!, sines!, 2)],
      shapes: [[6, 8]],
      expected: ({ x, positions, cosines, sines }) => [
        reference.rotaryReference(x!, positions!, cosines!, sines!, 2, 2),
      ],
      differentiable: ['x'],
    },
    {
      title: 'of the first part of two heads',
      inputs: { x: floats([6, 12]), ...rotaryTables() },
      build: ({ x, positions, cosines, sines }) => [rotary(x!, positions!, cosines!, sines!, 2)],
      shapes: [[6, 12]],
      expected: ({ x, positions, cosines, sines }) => [
        reference.rotaryReference(x!, positions!, cosines!, sines!, 2, 2, 6),
      ],
      differentiable: ['x'],
    },
  ],
  ...attentionCases,
  gatedActivation: [siluCases.forward, geluCases.forward],
  gatedActivationGradient: [siluCases.gradient, geluCases.gradient],
  ...blockCases,
  topTokens: [
    topTokensCase('of a whole head', 1, false),
    topTokensCase('of a head in shards, at a temperature', 2.5, true),
  ],
  ...packedCases,
  crossEntropy: [
    distilledCase('with a teacher', 'hidden', { share: 0.3, temperature: 1 }, {}),
    distilledCase('with a teacher alone, at a temperature', 'hidden', { share: 1, temperature: 2.5 }, { chunkRows: 8 }),
    distilledCase('with a teacher who knows every token', 'hidden', { share: 0.5, temperature: 0.5 }, { count: 6 }),
    distilledCase(
      'with a teacher, a trained head and capped logits',
      'hidden and weight',
      { share: 0.6, temperature: 2 },
      { cap: 1.5 },
    ),
    distilledCase(
      'with a teacher and a trained head in shards',
      'hidden and weight',
      { share: 0.4, temperature: 3 },
      { isSharded: true },
    ),
    ...blockLossCases,
    lossCase('of a frozen head at once', 8, 'hidden'),
    lossCase('of a frozen head in chunks, one of them empty', 3, 'hidden'),
    lossCase('of a trained head in chunks', 2, 'hidden and weight'),
    lossCase('of a frozen head with capped logits', 3, 'hidden', 0.5),
    lossCase('of a trained head with capped logits', 3, 'hidden and weight', 0.5),
    shardedLossCase('of a trained head in shards'),
    shardedLossCase('of a trained head in shards with capped logits', 0.5),
  ],
};
