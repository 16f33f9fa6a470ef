/**
 * @file Attention for models that other programs run: the cache of all tokens goes in and, with the new ones behind, comes out,
 * as transformers.js and optimum lay it out. Positions are given, and turned from their frequencies inside; rows of a batch
 * are padded in front. float32 only.
 */
import { applyOperation, type OnnxEmitter, type Operand, type Operation, type Value } from '../graph.ts';
import { type Dim, dimAt, divideDims, multiplyDims, staticDim } from '../shape.ts';
import { emitSoftcap } from './softcap.ts';

export interface PresentAttentionAttributes {
  readonly heads: number;
  readonly keyValueHeads: number;
  /** What the products of q and k are multiplied by. */
  readonly factor: number;
  /** Radians a position, one for each pair of a head's turned elements, and what cosines and sines are multiplied by; absent: nothing is turned. */
  readonly rope?: { readonly frequencies: readonly number[]; readonly factor: number } | undefined;
  /** The most tokens that a token sees, itself included; absent: all before it. */
  readonly windowTokens?: number | undefined;
  /** Scores s become cap x tanh(s / cap) before the softmax. */
  readonly softcap?: number | undefined;
}

export const presentAttentionOperation: Operation<PresentAttentionAttributes> = {
  name: 'presentAttention',
  infer([q, , , pastKeys, , attentionMask], { keyValueHeads }) {
    const total = dimAt(attentionMask!.shape, 1);
    const present = {
      dtype: q!.dtype,
      shape: [dimAt(pastKeys!.shape, 0), keyValueHeads, total, staticDim(pastKeys!.shape, 3)],
    };
    return [{ dtype: q!.dtype, shape: q!.shape }, present, present];
  },
  gradient: 'none',
  lower: emitPresentAttention,
};

export interface PresentAttention {
  readonly attended: Value;
  /** [B, K, P + S, D] */
  readonly keys: Value;
  readonly values: Value;
}

/**
 * q [B*S, H*D], k and v [B*S, K*D], past keys and values [B, K, P, D] -> attended [B*S, H*D], and keys and values of all
 * tokens.
 * @param attentionMask int64 [B, P + S], 0 for padding
 * @param positions int64 [B, S]
 */
export function presentAttention(
  states: { readonly q: Value; readonly k: Value; readonly v: Value },
  past: { readonly keys: Value; readonly values: Value },
  attentionMask: Value,
  positions: Value,
  attributes: PresentAttentionAttributes,
): PresentAttention {
  const inputs = [states.q, states.k, states.v, past.keys, past.values, attentionMask, positions];
  const [attended, keys, values] = applyOperation(presentAttentionOperation, inputs, attributes);
  return { attended: attended!, keys: keys!, values: values! };
}

function emitPresentAttention(
  emit: OnnxEmitter,
  [q, k, v, pastKeys, pastValues, attentionMask, positions]: readonly Operand[],
  { heads, keyValueHeads, factor, rope, windowTokens, softcap }: PresentAttentionAttributes,
): string[] {
  const rows = dimAt(pastKeys!.shape, 0);
  const newTokens = divideDims(dimAt(q!.shape, 0), rows)!;
  const headSize = staticDim(pastKeys!.shape, 3);
  const grouped = multiplyDims(heads / keyValueHeads, newTokens);
  const apart = (x: Operand, count: number): string =>
    emit.node('Transpose', [emit.reshape(x.name, [rows, newTokens, count, headSize])], {
      attributes: { perm: [0, 2, 1, 3] },
    }); // [B, n, S, D]
  const turn = (x: string): string => (rope ? emitTurn(emit, x, positions!.name, rope, headSize) : x);
  const append = (past: string, added: string): string =>
    emit.node('Concat', [past, added], { attributes: { axis: 2 } }); // [B, K, P + S, D]
  const keys = append(pastKeys!.name, turn(apart(k!, keyValueHeads)));
  const values = append(pastValues!.name, apart(v!, keyValueHeads));
  const queries = emit.reshape(turn(apart(q!, heads)), [rows, keyValueHeads, grouped, headSize]);
  const swapped = emit.node('Transpose', [keys], { attributes: { perm: [0, 1, 3, 2] } });
  const products = emit.node('MatMul', [queries, swapped]);
  const scaled = emit.node('Mul', [products, emit.floats([factor], [])]);
  const scores = softcap === undefined ? scaled : emitSoftcap(emit, scaled, softcap).y; // [B, K, G*S, P + S]
  const mask = emitMask(emit, attentionMask!.name, pastKeys!.name, [heads / keyValueHeads, newTokens], windowTokens);
  const probabilities = emit.node('Softmax', [emit.node('Add', [scores, mask])], { attributes: { axis: -1 } });
  const attended = emit.node('MatMul', [probabilities, values]); // [B, K, G*S, D]
  const byHead = emit.reshape(attended, [rows, heads, newTokens, headSize]);
  const byToken = emit.node('Transpose', [byHead], { attributes: { perm: [0, 2, 1, 3] } });
  return [emit.reshape(byToken, q!.shape), keys, values];
}

/** x [B, n, S, D] with the pairs (i, i + half) of each head turned by their positions. */
function emitTurn(
  emit: OnnxEmitter,
  x: string,
  positions: string,
  { frequencies, factor }: NonNullable<PresentAttentionAttributes['rope']>,
  headSize: number,
): string {
  const half = frequencies.length;
  const key = `presentAttention|${factor}|${frequencies.join()}`;
  const angles = emit.once(`${key}|angles`, () => {
    const places = emit.node('Unsqueeze', [emit.cast(positions, emit.floatType), emit.ints([1, 3])]); // [B, 1, S, 1]
    return emit.node('Mul', [places, emit.floats(frequencies, [1, 1, 1, half])]);
  });
  const table = (type: 'Cos' | 'Sin'): string =>
    emit.once(`${key}|${type}`, () => emit.node('Mul', [emit.node(type, [angles]), emit.floats([factor], [])]));
  const sizes = 2 * half < headSize ? [half, half, headSize - 2 * half] : [half, half];
  const parts = emit.nodeWithOutputs('Split', [x, emit.ints(sizes)], sizes.length, { attributes: { axis: 3 } });
  const [first, second] = parts as [string, string];
  const multiply = (a: string, b: string): string => emit.node('Mul', [a, b]);
  const turned = [
    emit.node('Sub', [multiply(first, table('Cos')), multiply(second, table('Sin'))]),
    emit.node('Add', [multiply(second, table('Cos')), multiply(first, table('Sin'))]),
  ];
  return emit.node('Concat', [...turned, ...parts.slice(2)], { attributes: { axis: 3 } });
}

/** 0 where a new token may see a place, else so low that its probability is 0: [B, 1, G*S, P + S]. */
function emitMask(
  emit: OnnxEmitter,
  attentionMask: string,
  pastKeys: string,
  [groups, newTokens]: readonly [number, Dim],
  windowTokens: number | undefined,
): string {
  return emit.once(`presentAttention|mask|${groups}|${windowTokens ?? 'all'}`, () => {
    const range = (count: string): string =>
      emit.node('Range', [emit.ints([0], []), emit.node('Squeeze', [count]), emit.ints([1], [])]);
    const past = emit.node('Shape', [pastKeys], { attributes: { start: 2, end: 3 } });
    const own = emit.node('Unsqueeze', [
      emit.node('Add', [range(emit.shapeTensor([newTokens])), past]),
      emit.ints([1]),
    ]); // [S, 1]
    const total = emit.node('Shape', [attentionMask], { attributes: { start: 1, end: 2 } });
    const all = emit.node('Unsqueeze', [range(total), emit.ints([0])]); // [1, P + S]
    const isPast = emit.node('LessOrEqual', [all, own]);
    const isNear =
      windowTokens === undefined
        ? isPast
        : emit.node('And', [
            isPast,
            emit.node('Greater', [all, emit.node('Sub', [own, emit.ints([windowTokens], [])])]),
          ]);
    const isText = emit.cast(emit.node('Unsqueeze', [attentionMask, emit.ints([1])]), 'bool'); // [B, 1, P + S]
    const isSeen = emit.node('And', [isText, isNear]); // [B, S, P + S]
    const mask = emit.node('Where', [isSeen, emit.floats([0], []), emit.floats([-1e9], [])]);
    const copies = emit.node('Concat', new Array<string>(groups).fill(mask), { attributes: { axis: 1 } });
    return emit.node('Unsqueeze', [copies, emit.ints([1])]);
  });
}
