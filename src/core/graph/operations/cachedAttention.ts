/**
 * @file Attention for generation: new tokens attend to a cache of keys and values and extend it; positions are turned
 * inside. float32 only. Lowered to one operator of ONNX Runtime's own (GroupQueryAttention), which decodes fast on a CPU,
 * or to plain operators for the head sizes that it does not take.
 * @see https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.GroupQueryAttention
 */
import { applyOperation, type OnnxEmitter, type Operand, type Operation, type Value } from '../graph.ts';
import { type Dim, dimAt, divideDims, staticDim } from '../shape.ts';
import { type CachedAttentionAttributes, emitPlainCachedAttention } from './plainCachedAttention.ts';

export const cachedAttentionOperation: Operation<CachedAttentionAttributes & { readonly totalDim: string }> = {
  name: 'cachedAttention',
  infer([q, , , pastKeys], { keyValueHeads, totalDim }) {
    const headSize = staticDim(pastKeys!.shape, 3);
    const present = { dtype: q!.dtype, shape: [dimAt(pastKeys!.shape, 0), keyValueHeads, totalDim, headSize] };
    return [{ dtype: q!.dtype, shape: q!.shape }, present, present];
  },
  gradient: 'none',
  lower: (emit, operands, attributes) =>
    isKernelFit(operands)
      ? emitGroupQueryAttention(emit, operands, attributes)
      : emitPlainCachedAttention(emit, operands, attributes),
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
 * @param tables cosines and sines [positions, R/2], as many positions as the cache may hold; absent: nothing is turned
 */
export function cachedAttention(
  states: { readonly q: Value; readonly k: Value; readonly v: Value },
  past: { readonly keys: Value; readonly values: Value },
  attentionMask: Value,
  tables: { readonly cosines: Value; readonly sines: Value } | undefined,
  attributes: CachedAttentionAttributes,
): CachedAttention {
  const totalDim = String(dimAt(attentionMask.shape, 1));
  const inputs = [states.q, states.k, states.v, past.keys, past.values, attentionMask];
  const [attended, presentKeys, presentValues] = applyOperation(
    cachedAttentionOperation,
    tables ? [...inputs, tables.cosines, tables.sines] : inputs,
    { ...attributes, totalDim },
  );
  return { attended: attended!, presentKeys: presentKeys!, presentValues: presentValues! };
}

/** Whether ONNX Runtime's kernel takes these sizes. */
function isKernelFit([, , , pastKeys, , , cosines]: readonly Operand[]): boolean {
  const headSize = staticDim(pastKeys!.shape, 3);
  return cosines === undefined ? headSize % 8 === 0 : headSize % 16 === 0 && staticDim(cosines.shape, 1) % 8 === 0;
}

function emitGroupQueryAttention(
  emit: OnnxEmitter,
  [q, k, v, pastKeys, pastValues, attentionMask, cosines, sines]: readonly Operand[],
  { heads, keyValueHeads, factor, windowTokens, softcap }: CachedAttentionAttributes,
): string[] {
  const [rows, totalTokens] = attentionMask!.shape as [Dim, Dim];
  const apart = (tensor: string, width: number): string =>
    emit.reshape(tensor, [rows, divideDims(dimAt(q!.shape, 0), rows)!, width]);
  const lastPositions = emit.once('cachedAttention|last positions', () => {
    const lengths = emit.node('ReduceSum', [attentionMask!.name, emit.ints([1])], { attributes: { keepdims: 0 } });
    return emit.cast(emit.node('Sub', [lengths, emit.ints([1])]), 'int32');
  });
  const total = emit.once('cachedAttention|total', () =>
    emit.cast(emit.node('Squeeze', [emit.shapeTensor([totalTokens])]), 'int32'),
  );
  const headSize = staticDim(pastKeys!.shape, 3);
  const tables = cosines && sines ? [cosines.name, sines.name] : [];
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
      ...tables,
    ],
    3,
    {
      domain: 'com.microsoft',
      attributes: {
        num_heads: heads,
        kv_num_heads: keyValueHeads,
        do_rotary: tables.length > 0 ? 1 : 0,
        scale: { float: factor },
        ...(windowTokens === undefined ? {} : { local_window_size: windowTokens }),
        ...(softcap === undefined ? {} : { softcap: { float: softcap } }),
      },
    },
  );
  return [emit.reshape(attended!, q!.shape), ...present];
}
