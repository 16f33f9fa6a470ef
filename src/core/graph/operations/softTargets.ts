/**
 * @file How far a student's token distribution is from a teacher's, of which only the likeliest tokens are known. The rest
 * of the vocabulary counts as one more token (TRL's `add_tail`), so that no mass is lost or made up: with z the student's
 * logits, q = softmax(z / T), p the teacher's probabilities of its top tokens, p' = 1 - sum of p and q' = 1 - sum of q there,
 * KL = sum p (log p - log q) + p' (log p' - log q'), and T dKL/dz = q - p at the top tokens, q (1 - p' / q') elsewhere.
 * @see https://arxiv.org/abs/1503.02531
 */
import type { OnnxEmitter, Operand } from '../graph.ts';
import { keepInside, locateRows } from './tableShards.ts';

export interface SoftTargets {
  /** Share of the teacher in the loss, 0..1: loss = (1 - share) x cross-entropy + share x T^2 x KL. */
  readonly share: number;
  readonly temperature: number;
}

type Matrix = Pick<Operand, 'name' | 'shape'>;

export interface TeacherChunk {
  /** int32 [n, K] */
  readonly ids: string;
  /** [n, K], logarithms */
  readonly logProbabilities: string;
}

/** Keeps logarithms and quotients finite where nothing of the mass is left. */
const tiny = 1e-30;

/** Sums and maxima over the last axis, [n, 1]. The slice is for chunks without rows, which ONNX Runtime's reductions leave as wide as they were. */
export function emitOverRow(emit: OnnxEmitter, type: string, tensor: string): string {
  return emit.node('Slice', [
    emit.node(type, [tensor, emit.ints([-1])], { attributes: { keepdims: 1 } }),
    ...[0, 1, 1].map(number => emit.ints([number])),
  ]);
}

/** logits [n, V] in shards -> the divergences [n, 1] and, where asked for, T dKL/dz in the same shards. */
export function emitDivergence(
  emit: OnnxEmitter,
  logits: readonly Matrix[],
  teacher: TeacherChunk,
  { temperature }: SoftTargets,
  withDifference: boolean,
): { readonly divergences: string; readonly differences: readonly Matrix[] } {
  const binary = (type: string, a: string, b: string): string => emit.node(type, [a, b]);
  const unary = (type: string, a: string): string => emit.node(type, [a]);
  const number = (value: number): string => emit.floats([value], []);
  const add = (parts: readonly string[]): string => parts.reduce((sum, part) => binary('Add', sum, part));
  const sumRow = (tensor: string): string => emitOverRow(emit, 'ReduceSum', tensor);

  // 1. The student's distribution at this temperature, as exponentials and their sum.
  const scaled = logits.map(({ name }) => (temperature === 1 ? name : binary('Div', name, number(temperature))));
  const maxima = scaled.map(tensor => emitOverRow(emit, 'ReduceMax', tensor));
  const max = maxima.length === 1 ? maxima[0]! : emit.node('Max', maxima);
  const exponentials = scaled.map(tensor => unary('Exp', binary('Sub', tensor, max)));
  const total = add(exponentials.map(sumRow));
  const logTotal = unary('Log', total);

  // 2. What of it stands at the teacher's tokens, [n, K], and what is left beside them.
  const ids = { name: teacher.ids, dtype: 'int32' } as const;
  const located = locateRows(
    emit,
    ids,
    logits.map(({ shape }) => ({ shape: shape.slice(1) })),
  );
  const gather = (tensors: readonly string[]): string[] =>
    located.map(({ local, inside }, index) => {
      const found = emit.node('GatherElements', [tensors[index]!, local], { attributes: { axis: 1 } });
      return keepInside(emit, found, inside);
    });
  const topExponentials = gather(exponentials);
  const others = exponentials.map((tensor, index) => scatterAdd(tensor, index, unary('Neg', topExponentials[index]!)));
  const rest = binary('Max', add(others.map(sumRow)), number(tiny));

  // 3. The divergence over the top tokens and the rest.
  const p = unary('Exp', teacher.logProbabilities);
  const pRest = binary('Max', binary('Sub', number(1), sumRow(p)), number(0)); // [n, 1]
  const logQ = binary('Sub', binary('Sub', add(gather(scaled)), max), logTotal); // [n, K]
  const overTop = sumRow(binary('Mul', p, binary('Sub', teacher.logProbabilities, logQ)));
  const logRatio = binary(
    'Sub',
    unary('Log', binary('Max', pRest, number(tiny))),
    binary('Sub', unary('Log', rest), logTotal),
  );
  const divergences = binary('Add', overTop, binary('Mul', pRest, logRatio));
  if (!withDifference) return { divergences, differences: [] };

  // 4. Its derivative: what is beside the top tokens shrinks or grows together.
  const factor = binary('Sub', unary('Reciprocal', total), binary('Div', pRest, rest)); // [n, 1]
  const differences = others.map((tensor, index) => {
    const atTop = binary(
      'Sub',
      binary('Div', topExponentials[index]!, total),
      keepInside(emit, p, located[index]!.inside),
    );
    return { name: scatterAdd(binary('Mul', tensor, factor), index, atTop), shape: logits[index]!.shape };
  });
  return { divergences, differences };

  /** Adds [n, K] to one shard's columns at the teacher's tokens; what belongs to other shards is zero. */
  function scatterAdd(tensor: string, shard: number, updates: string): string {
    const attributes = { axis: 1, reduction: 'add' };
    return emit.node('ScatterElements', [tensor, located[shard]!.local, updates], { attributes });
  }
}
