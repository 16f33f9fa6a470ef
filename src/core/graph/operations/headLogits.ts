/** @file A language model's head, in floats or quantized blocks, whole or in shards -> the logits of some hidden states. */
import type { BlockForm } from '../../formats/weightBlocks.ts';
import type { OnnxEmitter, Operand } from '../graph.ts';
import { dimAt } from '../shape.ts';
import { emitMatrix, emitMatrixRows, matrixShape } from './blockMatrix.ts';
import { splitShards } from './blockProduct.ts';
import { emitMatmul } from './matmul.ts';
import { emitSoftcap } from './softcap.ts';
import { type TableShard, toTableShard } from './tableShards.ts';

export type Matrix = Pick<Operand, 'name' | 'shape'>;

/** A part of the head, whose floats may exist only from `dependency` on, for the one product that then reads them. */
export interface HeadShard extends TableShard {
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

/** The shards of a head from an operation's operands. */
export function listHeadShards(
  emit: OnnxEmitter,
  weights: readonly Operand[],
  form: BlockForm | undefined,
): readonly HeadShard[] {
  return form
    ? splitShards(weights, form).map(parts => toBlockShard(emit, parts, form))
    : weights.map(weight => ({ ...toTableShard(emit, weight), matrix: () => weight }));
}

/** hidden [n, C] -> logits by shard, [n, V1], [n, V2]...; capped ones with the tanh that made them. */
export function emitLogits(
  emit: OnnxEmitter,
  hidden: Matrix,
  head: readonly HeadShard[],
  softcap: number | undefined,
): readonly (Matrix & { readonly tanh: string | undefined })[] {
  const logits: (Matrix & { readonly tanh: string | undefined })[] = [];
  for (const shard of head) {
    const matrix = shard.matrix(logits.at(-1)?.name ?? hidden.name);
    const product = emitMatmul(emit, hidden, matrix, { transposeB: true });
    const capped = softcap === undefined ? undefined : emitSoftcap(emit, product, softcap);
    logits.push({ name: capped?.y ?? product, shape: ['n', dimAt(shard.shape, 0)], tanh: capped?.tanh });
  }
  return logits;
}

/** Zero [1], once all tensors are there, be they empty. */
export function emitZero(emit: OnnxEmitter, tensors: readonly string[]): string {
  const size = tensors
    .map(tensor => emit.node('Shape', [tensor], { attributes: { start: 0, end: 1 } }))
    .reduce((sum, rows) => emit.node('Add', [sum, rows]));
  return emit.node('Mul', [size, emit.ints([0])]);
}
