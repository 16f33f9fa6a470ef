/** @file Cached attention out of ONNX's standard operators: any head size, on any device; slower than one kernel. */
import type { OnnxEmitter, Operand } from '../graph.ts';
import { type Dim, dimAt, divideDims, multiplyDims, staticDim } from '../shape.ts';
import { emitRotaryEmbedding } from './rotary.ts';
import { emitSoftcap } from './softcap.ts';

export interface CachedAttentionAttributes {
  readonly heads: number;
  readonly keyValueHeads: number;
  /** What the products of q and k are multiplied by. */
  readonly factor: number;
  /** The most tokens that a token sees, itself included; absent: all before it. */
  readonly windowTokens?: number | undefined;
  /** Scores s become cap x tanh(s / cap) before the softmax. */
  readonly softcap?: number | undefined;
}

/**
 * The attended tokens [B*S, H*D] and the cache with the new ones in it, [B, K, C, D], where C is the cache's own room or,
 * where that is too small, the tokens so far.
 *
 * 1. Find each new token's position and turn queries and keys by it.
 * 2. Write keys and values at their positions; what stood behind them was of no token.
 * 3. Attend to all positions up to a token's own.
 */
export function emitPlainCachedAttention(
  emit: OnnxEmitter,
  [q, k, v, pastKeys, pastValues, attentionMask, cosines, sines]: readonly Operand[],
  { heads, keyValueHeads, factor, windowTokens, softcap }: CachedAttentionAttributes,
): string[] {
  const [rows, totalTokens] = attentionMask!.shape as [Dim, Dim];
  const newTokens = divideDims(dimAt(q!.shape, 0), rows)!;
  const headSize = staticDim(pastKeys!.shape, 3);
  const groups = heads / keyValueHeads;
  const positions = emitPositions(emit, attentionMask!.name, newTokens); // [B, S]
  const turn = (x: Operand, count: number): string => {
    if (!cosines || !sines) return x.name;
    const tables = [cosines.name, sines.name, positions];
    return emitRotaryEmbedding(emit, x, [rows, newTokens], tables, count, staticDim(cosines.shape, 1));
  };
  const splitHeads = (tensor: string, count: number): string =>
    emit.node('Transpose', [emit.reshape(tensor, [rows, newTokens, count, headSize])], {
      attributes: { perm: [0, 2, 1, 3] },
    }); // [B, n, S, D]
  const room = emit.once(`plainCachedAttention|room|${headSize}|${keyValueHeads}`, () => {
    const missing = emit.node('Sub', [
      emit.shapeTensor([totalTokens]),
      emit.node('Shape', [pastKeys!.name], { attributes: { start: 2, end: 3 } }),
    ]);
    const shape = [
      emit.shapeTensor([rows]),
      emit.ints([keyValueHeads]),
      emit.node('Max', [missing, emit.ints([0])]),
      emit.ints([headSize]),
    ];
    return emit.node('Expand', [
      emit.floats([0], [1, 1, 1, 1]),
      emit.node('Concat', shape, { attributes: { axis: 0 } }),
    ]); // [B, K, C-P, D]
  });
  const extend = (past: string, added: string): string => {
    const wide = emit.node('Concat', [past, room], { attributes: { axis: 2 } });
    const column = emit.reshape(positions, [rows, 1, newTokens, 1]);
    const indices = emit.node('Expand', [column, emit.node('Shape', [added])]);
    return emit.node('ScatterElements', [wide, indices, added], { attributes: { axis: 2 } });
  };
  const presentKeys = extend(pastKeys!.name, splitHeads(turn(k!, keyValueHeads), keyValueHeads));
  const presentValues = extend(pastValues!.name, splitHeads(v!.name, keyValueHeads));

  const grouped = multiplyDims(groups, newTokens);
  const queries = emit.reshape(splitHeads(turn(q!, heads), heads), [rows, keyValueHeads, grouped, headSize]);
  const keys = emit.node('Transpose', [presentKeys], { attributes: { perm: [0, 1, 3, 2] } });
  const products = emit.node('MatMul', [queries, keys]); // [B, K, G*S, C]
  const scaled = emit.node('Mul', [products, emit.floats([factor], [])]);
  const scores = softcap === undefined ? scaled : emitSoftcap(emit, scaled, softcap).y;
  const reshapeTo = (tensor: string, dims: readonly Dim[]): string =>
    emit.node('Reshape', [
      tensor,
      emit.node('Concat', [emit.shapeTensor([rows, keyValueHeads, ...dims]), emit.ints([-1])], {
        attributes: { axis: 0 },
      }),
    ]);
  const mask = emitMask(emit, positions, [rows, newTokens], presentKeys, windowTokens);
  const masked = emit.node('Add', [reshapeTo(scores, [groups, newTokens]), mask]); // [B, K, G, S, C]
  const probabilities = reshapeTo(emit.node('Softmax', [masked], { attributes: { axis: -1 } }), [grouped]);
  const attended = emit.node('MatMul', [probabilities, presentValues]); // [B, K, G*S, D]
  const byHead = emit.reshape(attended, [rows, heads, newTokens, headSize]);
  const byToken = emit.node('Transpose', [byHead], { attributes: { perm: [0, 2, 1, 3] } });
  return [emit.reshape(byToken, q!.shape), presentKeys, presentValues];
}

/** Where the new tokens of each row stand: [B, S] int64. */
function emitPositions(emit: OnnxEmitter, attentionMask: string, newTokens: Dim): string {
  return emit.once('plainCachedAttention|positions', () => {
    const lengths = emit.node('ReduceSum', [attentionMask, emit.ints([1])], { attributes: { keepdims: 1 } }); // [B, 1]
    const count = emit.shapeTensor([newTokens]);
    // A row that is shorter than the prompt it stands in ends in padding.
    const first = emit.node('Max', [emit.node('Sub', [lengths, count]), emit.ints([0])]);
    const offsets = emit.node('Range', [emit.ints([0], []), emit.node('Squeeze', [count]), emit.ints([1], [])]);
    return emit.node('Add', [first, offsets]);
  });
}

/** 0 where a new token may see a position, else so low that its probability is 0: [B, 1, 1, S, C]. */
function emitMask(
  emit: OnnxEmitter,
  positions: string,
  [rows, newTokens]: readonly [Dim, Dim],
  keys: string,
  windowTokens: number | undefined,
): string {
  return emit.once(`plainCachedAttention|mask|${windowTokens ?? 'all'}`, () => {
    const own = emit.reshape(positions, [rows, 1, 1, newTokens, 1]);
    const count = emit.node('Squeeze', [emit.node('Shape', [keys], { attributes: { start: 2, end: 3 } })]);
    const all = emit.node('Range', [emit.ints([0], []), count, emit.ints([1], [])]); // [C]
    const isPast = emit.node('LessOrEqual', [all, own]);
    const isSeen =
      windowTokens === undefined
        ? isPast
        : emit.node('And', [
            isPast,
            emit.node('Greater', [all, emit.node('Sub', [own, emit.ints([windowTokens], [])])]),
          ]);
    return emit.node('Where', [isSeen, emit.floats([0], []), emit.floats([-1e9], [])]);
  });
}
