/**
 * @file The language model's head and loss in one: hidden states -> the negative log-likelihood of each label, and in the
 * same pass the gradients, a chunk of positions at a time, so that the logits of only one chunk exist.
 */
import { applyOperation, formatTypes, type OnnxEmitter, type Operand, type Operation, type Value } from '../graph.ts';
import { dimAt, staticDim } from '../shape.ts';
import { multiply } from './elementwise.ts';
import { emitMatmul } from './matmul.ts';

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
  infer([hidden, weight, labels, labelWeights], { gradients }) {
    const rows = dimAt(hidden!.shape, 0);
    const isFit =
      dimAt(labels!.shape, 0) === rows &&
      dimAt(labelWeights!.shape, 0) === rows &&
      dimAt(weight!.shape, 1) === dimAt(hidden!.shape, 1);
    if (!isFit) {
      throw new Error(`internal: crossEntropy: got ${formatTypes([hidden!, weight!, labels!, labelWeights!])}`);
    }
    const { dtype } = hidden!;
    const losses = [
      { dtype, shape: [] },
      { dtype, shape: [rows] },
    ];
    if (gradients === 'none') return losses;
    const withHidden = [...losses, { dtype, shape: hidden!.shape }];
    return gradients === 'hidden' ? withHidden : [...withHidden, { dtype, shape: weight!.shape }];
  },
  gradient({ outputs: [, , toHidden, toWeight], attributes, outputGradients: [gradient] }) {
    if (!gradient) return [];
    if (attributes.gradients === 'none') throw new Error('internal: crossEntropy: built without gradients');
    return [multiply(toHidden!, gradient), toWeight && multiply(toWeight, gradient)];
  },
  lower(emit, [hidden, weight, labels, labelWeights], { chunkRows, maxRows, gradients }) {
    const chunks: ChunkResult[] = [];
    for (let start = 0; start < maxRows; start += chunkRows) {
      const isOnly = chunkRows >= maxRows;
      const part = (tensor: Operand): string =>
        isOnly
          ? tensor.name
          : emit.node('Slice', [tensor.name, emit.ints([start]), emit.ints([start + chunkRows]), emit.ints([0])]);
      const operands = { hidden: part(hidden!), labels: part(labels!), labelWeights: part(labelWeights!) };
      chunks.push(emitChunk(emit, operands, weight!, gradients, chunks.at(-1)));
    }
    const join = (parts: readonly string[]): string =>
      parts.length === 1 ? parts[0]! : emit.node('Concat', parts, { attributes: { axis: 0 } });
    const losses = join(chunks.map(chunk => chunk.losses));
    const sum = emit.node('ReduceSum', [emit.node('Mul', [losses, labelWeights!.name])], {
      attributes: { keepdims: 0 },
    });
    if (gradients === 'none') return [sum, losses];
    return [sum, losses, join(chunks.map(chunk => chunk.toHidden!)), chunks.at(-1)!.toWeight ?? ''];
  },
};

export interface CrossEntropy {
  /** Sum over positions of label weight x loss, a scalar: what is differentiated. */
  readonly lossSum: Value;
  /** Each position's loss in nats, unweighted, [N]. Not differentiable. */
  readonly losses: Value;
}

/** hidden [N, C], weight [V, C], labels int32 [N], labelWeights [N] -> the losses of the labels. */
export function crossEntropy(
  hidden: Value,
  weight: Value,
  labels: Value,
  labelWeights: Value,
  attributes: CrossEntropyAttributes,
): CrossEntropy {
  const outputs = applyOperation(crossEntropyOperation, [hidden, weight, labels, labelWeights], attributes);
  return { lossSum: outputs[0]!, losses: outputs[1]! };
}

interface ChunkResult {
  readonly losses: string;
  readonly toHidden?: string;
  /** Summed over this chunk and those before it. */
  readonly toWeight?: string;
}

/**
 * With p = softmax(z) and one-hot labels: loss = log-sum-exp(z) - z[label], where log-sum-exp = max z - log max p;
 * dhidden = (p W - W[label]) x label weight; dW = (p - onehot)^T (hidden x label weight).
 */
function emitChunk(
  emit: OnnxEmitter,
  chunk: { readonly hidden: string; readonly labels: string; readonly labelWeights: string },
  weight: Operand,
  gradients: CrossEntropyAttributes['gradients'],
  previous: ChunkResult | undefined,
): ChunkResult {
  const width = staticDim(weight.shape, 1);
  const hidden = { name: previous ? waitFor(emit, chunk.hidden, width, previous) : chunk.hidden, shape: ['n', width] };
  const logits = { name: emitMatmul(emit, hidden, weight, { transposeB: true }), shape: ['n', dimAt(weight.shape, 0)] };
  const softmax = emit.node('Softmax', [logits.name], { attributes: { axis: -1 } });
  const probabilities = { name: softmax, shape: logits.shape };
  const rowMax = (tensor: string): string =>
    emit.node('ReduceMax', [tensor, emit.ints([-1])], { attributes: { keepdims: 1 } });
  const logSumExp = emit.node('Sub', [rowMax(logits.name), emit.node('Log', [rowMax(probabilities.name)])]);
  const asColumn = (tensor: string): string => emit.node('Reshape', [tensor, emit.ints([-1, 1])]);
  const labelColumn = asColumn(chunk.labels);
  const labelLogits = emit.node('GatherElements', [logits.name, labelColumn], { attributes: { axis: 1 } });
  const losses = emit.node('Reshape', [emit.node('Sub', [logSumExp, labelLogits]), emit.ints([-1])]);
  if (gradients === 'none') return { losses };

  const weights = asColumn(chunk.labelWeights);
  const labelRows = emit.node('Gather', [weight.name, chunk.labels], { attributes: { axis: 0 } });
  const expected = emitMatmul(emit, probabilities, weight); // [n, C]
  const toHidden = emit.node('Mul', [emit.node('Sub', [expected, labelRows]), weights]);
  if (gradients === 'hidden') return { losses, toHidden };

  const minusOnes = emit.node('Expand', [emit.floats([-1], []), emit.node('Shape', [labelColumn])]);
  const overProbability = emit.node('ScatterElements', [probabilities.name, labelColumn, minusOnes], {
    attributes: { axis: 1, reduction: 'add' },
  });
  const weightedHidden = { name: emit.node('Mul', [hidden.name, weights]), shape: hidden.shape };
  const toWeight = emitMatmul(emit, { name: overProbability, shape: logits.shape }, weightedHidden, {
    transposeA: true,
    ...(previous?.toWeight === undefined ? {} : { addend: previous.toWeight }),
  });
  return { losses, toHidden, toWeight };
}

/** A chunk's hidden states, not before the previous chunk is done: else the logits of several chunks would exist at a time. */
function waitFor(emit: OnnxEmitter, hidden: string, width: number, previous: ChunkResult): string {
  const size = [previous.losses, previous.toHidden, previous.toWeight]
    .filter(tensor => tensor !== undefined)
    .map(tensor => emit.node('Shape', [tensor], { attributes: { start: 0, end: 1 } }))
    .reduce((sum, rows) => emit.node('Add', [sum, rows]));
  const zero = emit.node('Mul', [size, emit.ints([0])]);
  return emit.node('Reshape', [hidden, emit.node('Add', [emit.ints([-1, width]), zero])]);
}
