/**
 * @file The language model's head and loss in one: hidden states -> the negative log-likelihood of each label, and in the
 * same pass the gradients, a chunk of positions at a time, so that the logits of only one chunk exist.
 */
import type { BlockForm } from '../../formats/weightBlocks.ts';
import { applyOperation, formatTypes, type OnnxEmitter, type Operand, type Operation, type Value } from '../graph.ts';
import { dimAt, staticDim } from '../shape.ts';
import { matrixShape } from './blockMatrix.ts';
import { type BlockMatrix, splitShards } from './blockProduct.ts';
import { multiply } from './elementwise.ts';
import { emitLogits, emitZero, type HeadShard, listHeadShards, type Matrix } from './headLogits.ts';
import { emitMatmul } from './matmul.ts';
import { emitSoftcapSlope } from './softcap.ts';
import { emitDivergence, emitOverRow, type SoftTargets, type TeacherChunk } from './softTargets.ts';
import { emitTableRows, keepInside, locateRows } from './tableShards.ts';

export interface CrossEntropyAttributes {
  /** Positions whose logits exist at one time. */
  readonly chunkRows: number;
  /** The most positions that a run may bring; their number varies from run to run. */
  readonly maxRows: number;
  /** What is to be differentiated: nothing (evaluation), the hidden states (frozen head), or both. */
  readonly gradients: 'none' | 'hidden' | 'hidden and weight';
  /** With a teacher's likeliest tokens as further targets. */
  readonly softTargets?: SoftTargets | undefined;
  /** Of a frozen head in quantized blocks; absent for one in floats. */
  readonly headForm?: BlockForm | undefined;
  /** Logits z become cap x tanh(z / cap). */
  readonly softcap?: number | undefined;
}

export const crossEntropyOperation: Operation<CrossEntropyAttributes> = {
  name: 'crossEntropy',
  infer([hidden, labels, labelWeights, ...others], { gradients, headForm, softTargets }) {
    const teacher = softTargets ? others.slice(0, 2) : [];
    const weights = others.slice(teacher.length);
    const shards = headForm
      ? splitShards(weights, headForm).map(([codes]) => matrixShape(codes!, headForm))
      : weights.map(({ shape }) => shape);
    const rows = dimAt(hidden!.shape, 0);
    const isFit =
      dimAt(labels!.shape, 0) === rows &&
      dimAt(labelWeights!.shape, 0) === rows &&
      teacher.every(({ shape }) => dimAt(shape, 0) === rows) &&
      shards.every(shape => dimAt(shape, 1) === dimAt(hidden!.shape, 1)) &&
      !(headForm && gradients === 'hidden and weight');
    if (!isFit) {
      throw new Error(`internal: crossEntropy: got ${formatTypes([hidden!, labels!, labelWeights!, ...others])}`);
    }
    const { dtype } = hidden!;
    const perRow = { dtype, shape: [rows] };
    const losses = [{ dtype, shape: [] }, perRow, ...(softTargets ? [perRow] : [])];
    if (gradients === 'none') return losses;
    const withHidden = [...losses, { dtype, shape: hidden!.shape }];
    return gradients === 'hidden' ? withHidden : [...withHidden, ...weights.map(({ shape }) => ({ dtype, shape }))];
  },
  gradient({ outputs, attributes, outputGradients: [gradient] }) {
    if (!gradient) return [];
    const [toHidden, ...toWeights] = outputs.slice(attributes.softTargets ? 3 : 2);
    if (attributes.gradients === 'none') throw new Error('internal: crossEntropy: built without gradients');
    const scale = (value: Value): Value => multiply(value, gradient);
    const noGradient = attributes.softTargets ? 4 : 2;
    return [scale(toHidden!), ...new Array<undefined>(noGradient), ...toWeights.map(scale)];
  },
  lower(
    emit,
    [hidden, labels, labelWeights, ...others],
    { chunkRows, maxRows, gradients, headForm, softcap, softTargets },
  ) {
    const [ids, logProbabilities] = others;
    const weights = softTargets ? others.slice(2) : others;
    const head = listHeadShards(emit, weights, headForm);
    const chunks: ChunkResult[] = [];
    for (let start = 0; start < maxRows; start += chunkRows) {
      const isOnly = chunkRows >= maxRows;
      const part = (tensor: Operand): string =>
        isOnly
          ? tensor.name
          : emit.node('Slice', [tensor.name, emit.ints([start]), emit.ints([start + chunkRows]), emit.ints([0])]);
      const teacher = softTargets && {
        ...softTargets,
        ids: part(ids!),
        logProbabilities: part(logProbabilities!),
      };
      const operands = { hidden: part(hidden!), labels: part(labels!), labelWeights: part(labelWeights!), teacher };
      chunks.push(emitChunk(emit, operands, head, { gradients, softcap }, chunks.at(-1)));
    }
    const join = (parts: readonly string[]): string =>
      parts.length === 1 ? parts[0]! : emit.node('Concat', parts, { attributes: { axis: 0 } });
    const losses = join(chunks.map(chunk => chunk.losses));
    const divergences = softTargets ? [join(chunks.map(chunk => chunk.divergences!))] : [];
    const mixed = softTargets ? emitMixture(emit, losses, divergences[0]!, softTargets) : losses;
    const sum = emit.node('ReduceSum', [emit.node('Mul', [mixed, labelWeights!.name])], {
      attributes: { keepdims: 0 },
    });
    const perRow = [sum, losses, ...divergences];
    if (gradients === 'none') return perRow;
    return [...perRow, join(chunks.map(chunk => chunk.toHidden!)), ...(chunks.at(-1)!.toWeights ?? [])];
  },
};

export interface CrossEntropy {
  /** Sum over positions of label weight x loss, a scalar: what is differentiated. */
  readonly lossSum: Value;
  /** Each position's loss in nats, unweighted, [N]. Not differentiable. */
  readonly losses: Value;
  /** Each position's divergence from the teacher, [N], where there is one. Not differentiable. */
  readonly divergences?: Value | undefined;
  /** d lossSum / d hidden, [N, C], for whoever weighs positions by their losses; absent without gradients. */
  readonly hiddenGradient?: Value | undefined;
}

/**
 * hidden [N, C], head [V, C], labels int32 [N], labelWeights [N] -> the losses of the labels.
 * @param head one tensor, or its shards [V1, C], [V2, C]... one after another, all of one form
 * @param teacher its likeliest tokens, int32 [N, K], and their log-probabilities, [N, K], where attributes name soft targets
 */
export function crossEntropy(
  hidden: Value,
  head: Value | readonly Value[] | readonly BlockMatrix[],
  labels: Value,
  labelWeights: Value,
  attributes: Omit<CrossEntropyAttributes, 'headForm'>,
  teacher: readonly [ids: Value, logProbabilities: Value] | readonly [] = [],
): CrossEntropy {
  const shards: readonly (Value | BlockMatrix)[] = 'graph' in head ? [head] : head;
  const headForm = shards.flatMap(shard => ('form' in shard ? [shard.form] : []))[0];
  const weights = shards.flatMap(shard => ('form' in shard ? shard.parts : [shard]));
  const outputs = applyOperation(crossEntropyOperation, [hidden, labels, labelWeights, ...teacher, ...weights], {
    ...attributes,
    headForm,
  });
  const [lossSum, losses, ...more] = outputs;
  const [divergences, hiddenGradient] = attributes.softTargets ? more : [undefined, more[0]];
  return { lossSum: lossSum!, losses: losses!, divergences, hiddenGradient };
}

interface ChunkResult {
  readonly losses: string;
  readonly divergences?: string;
  readonly toHidden?: string;
  /** By shard of the head, summed over this chunk and those before it. */
  readonly toWeights?: readonly string[];
}

interface ChunkOperands {
  readonly hidden: string;
  readonly labels: string;
  readonly labelWeights: string;
  readonly teacher: (SoftTargets & TeacherChunk) | undefined;
}

/** (1 - share) x losses + share x T^2 x divergences. */
function emitMixture(
  emit: OnnxEmitter,
  losses: string,
  divergences: string,
  { share, temperature }: SoftTargets,
): string {
  const factor = emit.floats([share * temperature ** 2], []);
  const own = emit.node('Mul', [losses, emit.floats([1 - share], [])]);
  return emit.node('Add', [own, emit.node('Mul', [divergences, factor])]);
}

/**
 * With p = softmax(z) and one-hot labels: loss = log-sum-exp(z) - z[label]; dhidden = (p W - W[label]) x label weight;
 * dW = (p - onehot)^T (hidden x label weight). With capped logits p and onehot are multiplied by the slope of the cap.
 */
function emitChunk(
  emit: OnnxEmitter,
  chunk: ChunkOperands,
  head: readonly HeadShard[],
  { gradients, softcap }: Pick<CrossEntropyAttributes, 'gradients' | 'softcap'>,
  previous: ChunkResult | undefined,
): ChunkResult {
  const width = staticDim(head[0]!.shape, 1);
  const hidden = { name: previous ? waitFor(emit, chunk.hidden, width, previous) : chunk.hidden, shape: ['n', width] };
  const logits = emitLogits(emit, hidden, head, softcap);
  const { probabilities: ownProbabilities, logSumExp } = emitSoftmax(emit, logits);
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
  const { teacher } = chunk;
  const distilled = teacher && emitDivergence(emit, logits, teacher, teacher, gradients !== 'none');
  const measured = {
    losses,
    ...(distilled && { divergences: emit.node('Reshape', [distilled.divergences, emit.ints([-1])]) }),
  };
  if (gradients === 'none') return measured;

  // What flows back is linear: the teacher's part joins the probabilities, the labels keep their share.
  const scaleBy = (factor: number, tensor: string): string => emit.node('Mul', [tensor, emit.floats([factor], [])]);
  const probabilities = ownProbabilities.map(({ name, shape }, index) => {
    if (!teacher || !distilled) return { name, shape };
    const soft = scaleBy(teacher.share * teacher.temperature, distilled.differences[index]!.name);
    return { name: emit.node('Add', [scaleBy(1 - teacher.share, name), soft]), shape };
  });
  const labelShare = (tensor: string): string => (teacher ? scaleBy(1 - teacher.share, tensor) : tensor);

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
  const labelRows = labelShare(multiplyBy(labelSlope, emitTableRows(emit, located, head)));
  const toHidden = emit.node('Mul', [emit.node('Sub', [expected, labelRows]), weights]);
  if (gradients === 'hidden') return { ...measured, toHidden };

  const weightedHidden = { name: emit.node('Mul', [hidden.name, weights]), shape: hidden.shape };
  const toWeights = located.map(({ column }, index) => {
    const minusOnes = labelShare(emit.node('Expand', [emit.floats([-1], []), emit.node('Shape', [column.local])]));
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
  return { ...measured, toHidden, toWeights };
}

/** Softmax over all shards' columns: its probabilities shard by shard, and the rows' log-sum-exp [n, 1]. */
function emitSoftmax(
  emit: OnnxEmitter,
  logits: readonly Matrix[],
): { readonly probabilities: readonly Matrix[]; readonly logSumExp: string } {
  const overRow = (type: string, tensor: string): string => emitOverRow(emit, type, tensor);
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
  const tensors = [previous.losses, previous.divergences, previous.toHidden, ...(previous.toWeights ?? [])];
  const zero = emitZero(
    emit,
    tensors.filter(tensor => tensor !== undefined),
  );
  return emit.node('Reshape', [hidden, emit.node('Add', [emit.ints([-1, width]), zero])]);
}
