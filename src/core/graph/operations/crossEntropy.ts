/**
 * @file The language model's head and loss in one: hidden states -> the negative log-likelihood of each label, and in the
 * same pass the gradients, a chunk of positions at a time, so that the logits of only one chunk exist.
 */
import type { BlockForm } from '../../formats/weightBlocks.ts';
import { applyOperation, formatTypes, type OnnxEmitter, type Operand, type Operation, type Value } from '../graph.ts';
import { dimAt, staticDim } from '../shape.ts';
import { emitMatrix, emitMatrixRows, matrixShape } from './blockMatrix.ts';
import { type BlockMatrix, splitShards } from './blockProduct.ts';
import { multiply } from './elementwise.ts';
import { emitMatmul } from './matmul.ts';
import { emitSoftcap, emitSoftcapSlope } from './softcap.ts';
import { emitTableRows, keepInside, locateRows, type TableShard, toTableShard } from './tableShards.ts';

export interface CrossEntropyAttributes {
  /** Positions whose logits exist at one time. */
  readonly chunkRows: number;
  /** The most positions that a run may bring; their number varies from run to run. */
  readonly maxRows: number;
  /** What is to be differentiated: nothing (evaluation), the hidden states (frozen head), or both. */
  readonly gradients: 'none' | 'hidden' | 'hidden and weight';
  /** Of a frozen head in quantized blocks; absent for one in floats. */
  readonly headForm?: BlockForm | undefined;
  /** Logits z become cap x tanh(z / cap). */
  readonly softcap?: number | undefined;
}

export const crossEntropyOperation: Operation<CrossEntropyAttributes> = {
  name: 'crossEntropy',
  infer([hidden, labels, labelWeights, ...weights], { gradients, headForm }) {
    const shards = headForm
      ? splitShards(weights, headForm).map(([codes]) => matrixShape(codes!, headForm))
      : weights.map(({ shape }) => shape);
    const rows = dimAt(hidden!.shape, 0);
    const isFit =
      dimAt(labels!.shape, 0) === rows &&
      dimAt(labelWeights!.shape, 0) === rows &&
      shards.every(shape => dimAt(shape, 1) === dimAt(hidden!.shape, 1)) &&
      !(headForm && gradients === 'hidden and weight');
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
  lower(emit, [hidden, labels, labelWeights, ...weights], { chunkRows, maxRows, gradients, headForm, softcap }) {
    const head = headForm
      ? splitShards(weights, headForm).map(parts => toBlockShard(emit, parts, headForm))
      : weights.map(weight => ({ ...toTableShard(emit, weight), matrix: () => weight }));
    const chunks: ChunkResult[] = [];
    for (let start = 0; start < maxRows; start += chunkRows) {
      const isOnly = chunkRows >= maxRows;
      const part = (tensor: Operand): string =>
        isOnly
          ? tensor.name
          : emit.node('Slice', [tensor.name, emit.ints([start]), emit.ints([start + chunkRows]), emit.ints([0])]);
      const operands = { hidden: part(hidden!), labels: part(labels!), labelWeights: part(labelWeights!) };
      chunks.push(emitChunk(emit, operands, head, { gradients, softcap }, chunks.at(-1)));
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
  /** d lossSum / d hidden, [N, C], for whoever weighs positions by their losses; absent without gradients. */
  readonly hiddenGradient?: Value | undefined;
}

/**
 * hidden [N, C], head [V, C], labels int32 [N], labelWeights [N] -> the losses of the labels.
 * @param head one tensor, or its shards [V1, C], [V2, C]... one after another, all of one form
 */
export function crossEntropy(
  hidden: Value,
  head: Value | readonly Value[] | readonly BlockMatrix[],
  labels: Value,
  labelWeights: Value,
  attributes: Omit<CrossEntropyAttributes, 'headForm'>,
): CrossEntropy {
  const shards: readonly (Value | BlockMatrix)[] = 'graph' in head ? [head] : head;
  const headForm = shards.flatMap(shard => ('form' in shard ? [shard.form] : []))[0];
  const weights = shards.flatMap(shard => ('form' in shard ? shard.parts : [shard]));
  const outputs = applyOperation(crossEntropyOperation, [hidden, labels, labelWeights, ...weights], {
    ...attributes,
    headForm,
  });
  return { lossSum: outputs[0]!, losses: outputs[1]!, hiddenGradient: outputs[2] };
}

interface ChunkResult {
  readonly losses: string;
  readonly toHidden?: string;
  /** By shard of the head, summed over this chunk and those before it. */
  readonly toWeights?: readonly string[];
}

type Matrix = Pick<Operand, 'name' | 'shape'>;

/** A part of the head, whose floats may exist only from `dependency` on, for the one product that then reads them. */
interface HeadShard extends TableShard {
  matrix(dependency: string): Matrix;
}

function toBlockShard(emit: OnnxEmitter, parts: readonly Operand[], form: BlockForm): HeadShard {
  return {
    shape: matrixShape(parts[0]!, form),
    gather: rows => emitMatrixRows(emit, parts, form, { name: rows, shape: ['n'] }),
    matrix(dependency) {
      const zero = emit.once(`no rows of ${dependency}`, () => emitZero(emit, [dependency]));
      return emitMatrix(emit, parts, form, (tensor, shape) =>
        emit.node('Reshape', [tensor, emit.node('Add', [emit.shapeTensor(shape), zero])]),
      );
    },
  };
}

/**
 * With p = softmax(z) and one-hot labels: loss = log-sum-exp(z) - z[label]; dhidden = (p W - W[label]) x label weight;
 * dW = (p - onehot)^T (hidden x label weight). With capped logits p and onehot are multiplied by the slope of the cap.
 */
function emitChunk(
  emit: OnnxEmitter,
  chunk: { readonly hidden: string; readonly labels: string; readonly labelWeights: string },
  head: readonly HeadShard[],
  { gradients, softcap }: Pick<CrossEntropyAttributes, 'gradients' | 'softcap'>,
  previous: ChunkResult | undefined,
): ChunkResult {
  const width = staticDim(head[0]!.shape, 1);
  const hidden = { name: previous ? waitFor(emit, chunk.hidden, width, previous) : chunk.hidden, shape: ['n', width] };
  const logits: (Matrix & { readonly tanh: string | undefined })[] = [];
  for (const shard of head) {
    const matrix = shard.matrix(logits.at(-1)?.name ?? hidden.name);
    const product = emitMatmul(emit, hidden, matrix, { transposeB: true });
    const capped = softcap === undefined ? undefined : emitSoftcap(emit, product, softcap);
    logits.push({ name: capped?.y ?? product, shape: ['n', dimAt(shard.shape, 0)], tanh: capped?.tanh });
  }
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
  const slopes = logits.map(({ tanh }) => tanh && emitSoftcapSlope(emit, tanh)); // [n, V] where logits are capped
  const labelSlope =
    softcap === undefined
      ? undefined
      : emitSoftcapSlope(emit, emit.node('Div', [labelLogits, emit.floats([softcap], [])])); // [n, 1]
  const multiplyBy = (slope: string | undefined, tensor: string): string =>
    slope === undefined ? tensor : emit.node('Mul', [tensor, slope]);
  const flowing = probabilities.map(({ name, shape }, index) => ({ name: multiplyBy(slopes[index], name), shape }));
  const expected = flowing.reduce<string | undefined>(
    (addend, shard, index) =>
      emitMatmul(emit, shard, head[index]!.matrix(addend ?? shard.name), addend === undefined ? {} : { addend }),
    undefined,
  )!; // [n, C]
  const labelRows = multiplyBy(labelSlope, emitTableRows(emit, located, head));
  const toHidden = emit.node('Mul', [emit.node('Sub', [expected, labelRows]), weights]);
  if (gradients === 'hidden') return { losses, toHidden };

  const weightedHidden = { name: emit.node('Mul', [hidden.name, weights]), shape: hidden.shape };
  const toWeights = located.map(({ column }, index) => {
    const minusOnes = emit.node('Expand', [emit.floats([-1], []), emit.node('Shape', [column.local])]);
    const overProbability = emit.node(
      'ScatterElements',
      [flowing[index]!.name, column.local, keepInside(emit, multiplyBy(labelSlope, minusOnes), column.inside)],
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
  const tensors = [previous.losses, previous.toHidden, ...(previous.toWeights ?? [])];
  const zero = emitZero(
    emit,
    tensors.filter(tensor => tensor !== undefined),
  );
  return emit.node('Reshape', [hidden, emit.node('Add', [emit.ints([-1, width]), zero])]);
}

/** Zero [1], once all tensors are there, be they empty. */
function emitZero(emit: OnnxEmitter, tensors: readonly string[]): string {
  const size = tensors
    .map(tensor => emit.node('Shape', [tensor], { attributes: { start: 0, end: 1 } }))
    .reduce((sum, rows) => emit.node('Add', [sum, rows]));
  return emit.node('Mul', [size, emit.ints([0])]);
}
