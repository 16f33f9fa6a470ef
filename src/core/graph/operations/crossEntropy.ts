/**
 * @file The language model's head and loss in one: hidden states -> the negative log-likelihood of each label, and in the
 * same pass the gradients, a chunk of positions at a time, so that the logits of only one chunk exist.
 */
import { applyOperation, formatTypes, type OnnxEmitter, type Operand, type Operation, type Value } from '../graph.ts';
import { dimAt, staticDim } from '../shape.ts';
import { multiply } from './elementwise.ts';
import { emitMatmul } from './matmul.ts';
import { emitTableRows, keepInside, locateRows } from './tableShards.ts';

export interface CrossEntropyAttributes {
  /** Positions whose logits exist at one time. */
  readonly chunkRows: number;
  /** The most positions that a run may bring; their number varies from run to run. */
  readonly maxRows: number;
  /** What is to be differentiated: nothing (evaluation), the hidden states (frozen head), or both. */
  readonly gradients: 'none' | 'hidden' | 'hidden and weight';
}

export const crossEntropyOperation: Operation<CrossEntropyAttributes> = {
  name: 'crossEntropy',
  infer([hidden, labels, labelWeights, ...weights], { gradients }) {
    const rows = dimAt(hidden!.shape, 0);
    const isFit =
      dimAt(labels!.shape, 0) === rows &&
      dimAt(labelWeights!.shape, 0) === rows &&
      weights.every(weight => dimAt(weight.shape, 1) === dimAt(hidden!.shape, 1));
    if (!isFit) {
      throw new Error(`internal: crossEntropy: got ${formatTypes([hidden!, labels!, labelWeights!, ...weights])}`);
    }
    const { dtype } = hidden!;
    const losses = [
      { dtype, shape: [] },
      { dtype, shape: [rows] },
    ];
    if (gradients === 'none') return losses;
    const withHidden = [...losses, { dtype, shape: hidden!.shape }];
    return gradients === 'hidden' ? withHidden : [...withHidden, ...weights.map(({ shape }) => ({ dtype, shape }))];
  },
  gradient({ outputs: [, , toHidden, ...toWeights], attributes, outputGradients: [gradient] }) {
    if (!gradient) return [];
    if (attributes.gradients === 'none') throw new Error('internal: crossEntropy: built without gradients');
    const scale = (value: Value): Value => multiply(value, gradient);
    return [scale(toHidden!), undefined, undefined, ...toWeights.map(scale)];
  },
  lower(emit, [hidden, labels, labelWeights, ...weights], { chunkRows, maxRows, gradients }) {
    const chunks: ChunkResult[] = [];
    for (let start = 0; start < maxRows; start += chunkRows) {
      const isOnly = chunkRows >= maxRows;
      const part = (tensor: Operand): string =>
        isOnly
          ? tensor.name
          : emit.node('Slice', [tensor.name, emit.ints([start]), emit.ints([start + chunkRows]), emit.ints([0])]);
      const operands = { hidden: part(hidden!), labels: part(labels!), labelWeights: part(labelWeights!) };
      chunks.push(emitChunk(emit, operands, weights, gradients, chunks.at(-1)));
    }
    const join = (parts: readonly string[]): string =>
      parts.length === 1 ? parts[0]! : emit.node('Concat', parts, { attributes: { axis: 0 } });
    const losses = join(chunks.map(chunk => chunk.losses));
    const sum = emit.node('ReduceSum', [emit.node('Mul', [losses, labelWeights!.name])], {
      attributes: { keepdims: 0 },
    });
    if (gradients === 'none') return [sum, losses];
    return [sum, losses, join(chunks.map(chunk => chunk.toHidden!)), ...(chunks.at(-1)!.toWeights ?? [])];
  },
};

export interface CrossEntropy {
  /** Sum over positions of label weight x loss, a scalar: what is differentiated. */
  readonly lossSum: Value;
  /** Each position's loss in nats, unweighted, [N]. Not differentiable. */
  readonly losses: Value;
}

/**
 * hidden [N, C], head [V, C], labels int32 [N], labelWeights [N] -> the losses of the labels.
 * @param head one tensor, or its shards [V1, C], [V2, C]... one after another
 */
export function crossEntropy(
  hidden: Value,
  head: Value | readonly Value[],
  labels: Value,
  labelWeights: Value,
  attributes: CrossEntropyAttributes,
): CrossEntropy {
  const shards = 'graph' in head ? [head] : head;
  const outputs = applyOperation(crossEntropyOperation, [hidden, labels, labelWeights, ...shards], attributes);
  return { lossSum: outputs[0]!, losses: outputs[1]! };
}

interface ChunkResult {
  readonly losses: string;
  readonly toHidden?: string;
  /** By shard of the head, summed over this chunk and those before it. */
  readonly toWeights?: readonly string[];
}

type Matrix = Pick<Operand, 'name' | 'shape'>;

/**
 * With p = softmax(z) and one-hot labels: loss = log-sum-exp(z) - z[label]; dhidden = (p W - W[label]) x label weight;
 * dW = (p - onehot)^T (hidden x label weight).
 */
function emitChunk(
  emit: OnnxEmitter,
  chunk: { readonly hidden: string; readonly labels: string; readonly labelWeights: string },
  head: readonly Operand[],
  gradients: CrossEntropyAttributes['gradients'],
  previous: ChunkResult | undefined,
): ChunkResult {
  const width = staticDim(head[0]!.shape, 1);
  const hidden = { name: previous ? waitFor(emit, chunk.hidden, width, previous) : chunk.hidden, shape: ['n', width] };
  const logits = head.map(shard => ({
    name: emitMatmul(emit, hidden, shard, { transposeB: true }),
    shape: ['n', dimAt(shard.shape, 0)],
  }));
  const { probabilities, logSumExp } = emitSoftmax(emit, logits);
  const asColumn = (tensor: string): string => emit.node('Reshape', [tensor, emit.ints([-1, 1])]);
  const labels = { name: chunk.labels, dtype: 'int32' } as const;
  const located = locateRows(emit, labels, head).map(({ local, inside }) => ({
    local,
    inside,
    column: { local: asColumn(local), inside: inside && asColumn(inside) },
  }));
  const labelLogits = located
    .map(({ column }, index) => {
      const found = emit.node('GatherElements', [logits[index]!.name, column.local], { attributes: { axis: 1 } });
      return keepInside(emit, found, column.inside);
    })
    .reduce((sum, part) => emit.node('Add', [sum, part]));
  const losses = emit.node('Reshape', [emit.node('Sub', [logSumExp, labelLogits]), emit.ints([-1])]);
  if (gradients === 'none') return { losses };

  const weights = asColumn(chunk.labelWeights);
  const expected = probabilities.reduce<string | undefined>(
    (addend, shard, index) => emitMatmul(emit, shard, head[index]!, addend === undefined ? {} : { addend }),
    undefined,
  )!; // [n, C]
  const labelRows = emitTableRows(emit, located, head);
  const toHidden = emit.node('Mul', [emit.node('Sub', [expected, labelRows]), weights]);
  if (gradients === 'hidden') return { losses, toHidden };

  const weightedHidden = { name: emit.node('Mul', [hidden.name, weights]), shape: hidden.shape };
  const toWeights = located.map(({ column }, index) => {
    const minusOnes = emit.node('Expand', [emit.floats([-1], []), emit.node('Shape', [column.local])]);
    const overProbability = emit.node(
      'ScatterElements',
      [probabilities[index]!.name, column.local, keepInside(emit, minusOnes, column.inside)],
      { attributes: { axis: 1, reduction: 'add' } },
    );
    const addend = previous?.toWeights?.[index];
    return emitMatmul(emit, { name: overProbability, shape: logits[index]!.shape }, weightedHidden, {
      transposeA: true,
      ...(addend === undefined ? {} : { addend }),
    });
  });
  return { losses, toHidden, toWeights };
}

/** Softmax over all shards' columns: its probabilities shard by shard, and the rows' log-sum-exp [n, 1]. */
function emitSoftmax(
  emit: OnnxEmitter,
  logits: readonly Matrix[],
): { readonly probabilities: readonly Matrix[]; readonly logSumExp: string } {
  // The slice is for chunks without rows, which ONNX Runtime's reductions leave as wide as they were.
  const overRow = (type: string, tensor: string): string =>
    emit.node('Slice', [
      emit.node(type, [tensor, emit.ints([-1])], { attributes: { keepdims: 1 } }),
      ...[0, 1, 1].map(number => emit.ints([number])),
    ]);
  const maxima = logits.map(({ name }) => overRow('ReduceMax', name));
  if (logits.length === 1) {
    const softmax = emit.node('Softmax', [logits[0]!.name], { attributes: { axis: -1 } });
    // The largest probability is exp(max - log-sum-exp).
    const logSumExp = emit.node('Sub', [maxima[0]!, emit.node('Log', [overRow('ReduceMax', softmax)])]);
    return { probabilities: [{ name: softmax, shape: logits[0]!.shape }], logSumExp };
  }
  const max = emit.node('Max', maxima);
  const exponentials = logits.map(({ name }) => emit.node('Exp', [emit.node('Sub', [name, max])]));
  const sum = exponentials
    .map(exponential => overRow('ReduceSum', exponential))
    .reduce((total, part) => emit.node('Add', [total, part]));
  return {
    probabilities: exponentials.map((exponential, index) => ({
      name: emit.node('Div', [exponential, sum]),
      shape: logits[index]!.shape,
    })),
    logSumExp: emit.node('Add', [max, emit.node('Log', [sum])]),
  };
}

/** A chunk's hidden states, not before the previous chunk is done: else the logits of several chunks would exist at a time. */
function waitFor(emit: OnnxEmitter, hidden: string, width: number, previous: ChunkResult): string {
  const size = [previous.losses, previous.toHidden, ...(previous.toWeights ?? [])]
    .filter(tensor => tensor !== undefined)
    .map(tensor => emit.node('Shape', [tensor], { attributes: { start: 0, end: 1 } }))
    .reduce((sum, rows) => emit.node('Add', [sum, rows]));
  const zero = emit.node('Mul', [size, emit.ints([0])]);
  return emit.node('Reshape', [hidden, emit.node('Add', [emit.ints([-1, width]), zero])]);
}
