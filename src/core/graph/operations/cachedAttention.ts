/**
 * @file Attention for generation: new tokens attend to a cache of keys and values and to each other; positions are turned
 * inside. float32 only. The cache is only read, and what is to be added to it is handed out: ONNX Runtime's own operator
 * (GroupQueryAttention) hands out the whole cache with the new tokens in it, and its binding for Node copies every
 * output, which took longer than all products together.
 */
import { applyOperation, type OnnxEmitter, type Operand, type Operation, type Value } from '../graph.ts';
import { type Dim, dimAt, divideDims, multiplyDims, staticDim } from '../shape.ts';
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

export const cachedAttentionOperation: Operation<CachedAttentionAttributes> = {
  name: 'cachedAttention',
  infer([q, , , pastKeys], { keyValueHeads }) {
    const rows = dimAt(pastKeys!.shape, 0);
    const newTokens = divideDims(dimAt(q!.shape, 0), rows)!;
    const added = { dtype: q!.dtype, shape: [rows, keyValueHeads, newTokens, staticDim(pastKeys!.shape, 3)] };
    return [{ dtype: q!.dtype, shape: q!.shape }, added, added];
  },
  gradient: 'none',
  lower: emitCachedAttention,
};

export interface CachedAttention {
  readonly attended: Value;
  /** [B, K, S, D], to be written behind each row's past tokens. */
  readonly newKeys: Value;
  readonly newValues: Value;
}

/**
 * q [B*S, H*D], k and v [B*S, K*D], past keys and values [B, K, P, D] -> attended [B*S, H*D], and the keys and values of
 * the S new tokens. P is the cache's room; a row's past tokens stand at its front.
 * @param attentionMask int64 [B, total], 1 for every token so far, the new ones included
 * @param tables cosines and sines [positions, R/2], as many positions as the cache may hold; absent: nothing is turned
 */
export function cachedAttention(
  states: { readonly q: Value; readonly k: Value; readonly v: Value },
  past: { readonly keys: Value; readonly values: Value },
  attentionMask: Value,
  tables: { readonly cosines: Value; readonly sines: Value } | undefined,
  attributes: CachedAttentionAttributes,
): CachedAttention {
  const inputs = [states.q, states.k, states.v, past.keys, past.values, attentionMask];
  const [attended, newKeys, newValues] = applyOperation(
    cachedAttentionOperation,
    tables ? [...inputs, tables.cosines, tables.sines] : inputs,
    attributes,
  );
  return { attended: attended!, newKeys: newKeys!, newValues: newValues! };
}

/**
 * 1. Turn queries and keys by the positions of the new tokens.
 * 2. Scores over the cache and over the new tokens, G query heads of a key head side by side.
 * 3. Softmax over both, and their values.
 */
function emitCachedAttention(
  emit: OnnxEmitter,
  [q, k, v, pastKeys, pastValues, attentionMask, cosines, sines]: readonly Operand[],
  { heads, keyValueHeads, factor, windowTokens, softcap }: CachedAttentionAttributes,
): string[] {
  const [rows, room] = [dimAt(pastKeys!.shape, 0), dimAt(pastKeys!.shape, 2)];
  const newTokens = divideDims(dimAt(q!.shape, 0), rows)!;
  const headSize = staticDim(pastKeys!.shape, 3);
  const grouped = multiplyDims(heads / keyValueHeads, newTokens);
  const places = emitPlaces(emit, attentionMask!.name, newTokens, room);
  const apart = (x: Operand, count: number): string =>
    emit.node('Transpose', [emit.reshape(x.name, [rows, newTokens, count, headSize])], {
      attributes: { perm: [0, 2, 1, 3] },
    }); // [B, n, S, D]
  const turn = (x: string): string => {
    if (!cosines || !sines) return x;
    const turned = 2 * staticDim(cosines.shape, 1);
    const attributes = turned < headSize ? { rotary_embedding_dim: turned } : {};
    return emit.node('RotaryEmbedding', [x, cosines.name, sines.name, places.own], { attributes });
  };
  const newKeys = turn(apart(k!, keyValueHeads));
  const newValues = apart(v!, keyValueHeads);
  const queries = emit.reshape(turn(apart(q!, heads)), [rows, keyValueHeads, grouped, headSize]);

  const score = (keys: string): string =>
    emit.node('FusedMatMul', [queries, keys], {
      domain: 'com.microsoft',
      attributes: { transB: 1, alpha: { float: factor } },
    });
  const both = emit.node('Concat', [score(pastKeys!.name), score(newKeys)], { attributes: { axis: -1 } });
  const scores = softcap === undefined ? both : emitSoftcap(emit, both, softcap).y; // [B, K, G*S, P+S]
  const mask = emitMask(emit, places, [rows, heads / keyValueHeads, newTokens], windowTokens);
  const probabilities = emit.node('Softmax', [emit.node('Add', [scores, mask])], { attributes: { axis: -1 } });
  const [ofPast, ofNew] = emit.nodeWithOutputs('Split', [probabilities, emit.shapeTensor([room, newTokens])], 2, {
    attributes: { axis: -1 },
  });
  const attended = emit.node('Add', [
    emit.node('MatMul', [ofPast!, pastValues!.name]),
    emit.node('MatMul', [ofNew!, newValues]),
  ]); // [B, K, G*S, D]
  const byHead = emit.reshape(attended, [rows, heads, newTokens, headSize]);
  const byToken = emit.node('Transpose', [byHead], { attributes: { perm: [0, 2, 1, 3] } });
  return [emit.reshape(byToken, q!.shape), newKeys, newValues];
}

interface Places {
  /** Of the new tokens, int64 [B, S]. */
  readonly own: string;
  /** Of what the cache holds and of the new tokens, int64 [B, P+S]; past the end where the cache holds nothing. */
  readonly all: string;
}

const nowhere = 2 ** 40;

function emitPlaces(emit: OnnxEmitter, attentionMask: string, newTokens: Dim, room: Dim): Places {
  const range = (count: string): string =>
    emit.node('Range', [emit.ints([0], []), emit.node('Squeeze', [count]), emit.ints([1], [])]);
  const past = emit.once('cachedAttention|past', () => {
    const lengths = emit.node('ReduceSum', [attentionMask, emit.ints([1])], { attributes: { keepdims: 1 } });
    // A row that is shorter than the prompt it stands in ends in padding.
    return emit.node('Max', [emit.node('Sub', [lengths, emit.shapeTensor([newTokens])]), emit.ints([0])]);
  }); // [B, 1]
  const own = emit.once('cachedAttention|own places', () =>
    emit.node('Add', [past, range(emit.shapeTensor([newTokens]))]),
  );
  const all = emit.once('cachedAttention|all places', () => {
    const cached = range(emit.shapeTensor([room]));
    const held = emit.node('Where', [emit.node('Less', [cached, past]), cached, emit.ints([nowhere])]);
    return emit.node('Concat', [held, own], { attributes: { axis: 1 } });
  });
  return { own, all };
}

/** 0 where a new token may see a place, else so low that its probability is 0: [B, 1, G*S, P+S]. */
function emitMask(
  emit: OnnxEmitter,
  { own, all }: Places,
  [rows, groups, newTokens]: readonly [Dim, number, Dim],
  windowTokens: number | undefined,
): string {
  return emit.once(`cachedAttention|mask|${groups}|${windowTokens ?? 'all'}`, () => {
    const seeing = emit.reshape(own, [rows, newTokens, 1]);
    const seen = emit.node('Unsqueeze', [all, emit.ints([1])]);
    const isPast = emit.node('LessOrEqual', [seen, seeing]);
    const isSeen =
      windowTokens === undefined
        ? isPast
        : emit.node('And', [
            isPast,
            emit.node('Greater', [seen, emit.node('Sub', [seeing, emit.ints([windowTokens], [])])]),
          ]);
    const mask = emit.node('Where', [isSeen, emit.floats([0], []), emit.floats([-1e9], [])]); // [B, S, P+S]
    const copies = emit.node('Concat', new Array<string>(groups).fill(mask), { attributes: { axis: 1 } });
    return emit.node('Unsqueeze', [copies, emit.ints([1])]);
  });
}
