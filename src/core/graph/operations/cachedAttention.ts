/**
 * @file Attention for generation: new tokens attend to a cache of keys and values and extend it; positions are turned
 * inside. One operator of ONNX Runtime's own (GroupQueryAttention), which decodes fast on a CPU. float32 only.
 * @see https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.GroupQueryAttention
 */
import { applyOperation, type Operation, type Value } from '../graph.ts';
import { dimAt, divideDims, staticDim } from '../shape.ts';

export interface CachedAttentionAttributes {
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly factor: number;
}

export const cachedAttentionOperation: Operation<CachedAttentionAttributes & { readonly totalDim: string }> = {
  name: 'cachedAttention',
  infer([q, , , pastKeys], { keyValueHeads, totalDim }) {
    const headSize = staticDim(pastKeys!.shape, 3);
    const present = { dtype: q!.dtype, shape: [dimAt(pastKeys!.shape, 0), keyValueHeads, totalDim, headSize] };
    return [{ dtype: q!.dtype, shape: q!.shape }, present, present];
  },
  gradient: 'none',
  lower(emit, [q, k, v, pastKeys, pastValues, attentionMask, cosines, sines], { heads, keyValueHeads, factor }) {
    const [rows, totalTokens] = attentionMask!.shape;
    const apart = (tensor: string, width: number): string =>
      emit.reshape(tensor, [rows!, divideDims(dimAt(q!.shape, 0), rows!)!, width]);
    const lastPositions = emit.once('cachedAttention|last positions', () => {
      const lengths = emit.node('ReduceSum', [attentionMask!.name, emit.ints([1])], { attributes: { keepdims: 0 } });
      return emit.cast(emit.node('Sub', [lengths, emit.ints([1])]), 'int32');
    });
    const total = emit.once('cachedAttention|total', () =>
      emit.cast(emit.node('Squeeze', [emit.shapeTensor([totalTokens!])]), 'int32'),
    );
    const headSize = staticDim(pastKeys!.shape, 3);
    const [attended, ...present] = emit.nodeWithOutputs(
      'GroupQueryAttention',
      [
        apart(q!.name, heads * headSize),
        apart(k!.name, keyValueHeads * headSize),
        apart(v!.name, keyValueHeads * headSize),
        pastKeys!.name,
        pastValues!.name,
        lastPositions,
        total,
        cosines!.name,
        sines!.name,
      ],
      3,
      {
        domain: 'com.microsoft',
        attributes: { num_heads: heads, kv_num_heads: keyValueHeads, do_rotary: 1, scale: { float: factor } },
      },
    );
    return [emit.reshape(attended!, q!.shape), ...present];
  },
};

export interface CachedAttention {
  readonly attended: Value;
  readonly presentKeys: Value;
  readonly presentValues: Value;
}

/**
 * q [B*S, H*D], k and v [B*S, K*D], past keys and values [B, K, P, D] -> attended [B*S, H*D] and the cache with the S
 * new tokens.
 * @param attentionMask int64 [B, P+S], 1 for every token so far; a row's tokens stand at its front
 * @param cosines [positions, D/2], and `sines`: as many positions as the cache may hold
 */
export function cachedAttention(
  states: { readonly q: Value; readonly k: Value; readonly v: Value },
  past: { readonly keys: Value; readonly values: Value },
  attentionMask: Value,
  tables: { readonly cosines: Value; readonly sines: Value },
  attributes: CachedAttentionAttributes,
): CachedAttention {
  const totalDim = String(dimAt(attentionMask.shape, 1));
  const inputs = [states.q, states.k, states.v, past.keys, past.values, attentionMask, tables.cosines, tables.sines];
  const [attended, presentKeys, presentValues] = applyOperation(cachedAttentionOperation, inputs, {
    ...attributes,
    totalDim,
  });
  return { attended: attended!, presentKeys: presentKeys!, presentValues: presentValues! };
}
