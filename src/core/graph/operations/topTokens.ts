/**
 * @file What a teacher thinks of each position: hidden states -> its likeliest tokens and their log-probabilities at a
 * temperature, a chunk of positions at a time, so that the logits of only one chunk exist.
 */
import type { BlockForm } from '../../formats/weightBlocks.ts';
import { applyOperation, type OnnxEmitter, type Operand, type Operation, type Value } from '../graph.ts';
import { dimAt, staticDim } from '../shape.ts';
import type { BlockMatrix } from './blockProduct.ts';
import { emitLogits, emitZero, type HeadShard, listHeadShards } from './headLogits.ts';
import { emitOverRow } from './softTargets.ts';

export interface TopTokensAttributes {
  /** Positions whose logits exist at one time. */
  readonly chunkRows: number;
  readonly maxRows: number;
  /** Tokens kept at each position, at most the vocabulary. */
  readonly count: number;
  /** Divides the logits. */
  readonly temperature: number;
  readonly headForm?: BlockForm | undefined;
  readonly softcap?: number | undefined;
}

export const topTokensOperation: Operation<TopTokensAttributes> = {
  name: 'topTokens',
  infer([hidden], { count }) {
    const shape = [dimAt(hidden!.shape, 0), count];
    return [
      { dtype: 'int32', shape },
      { dtype: hidden!.dtype, shape },
    ];
  },
  gradient: 'none',
  lower(emit, [hidden, ...weights], attributes) {
    const { chunkRows, maxRows, headForm } = attributes;
    const head = listHeadShards(emit, weights, headForm);
    const chunks: TopTokens[] = [];
    for (let start = 0; start < maxRows; start += chunkRows) {
      const bounds = [start, start + chunkRows, 0].map(number => emit.ints([number]));
      const part = chunkRows >= maxRows ? hidden!.name : emit.node('Slice', [hidden!.name, ...bounds]);
      chunks.push(emitChunk(emit, part, staticDim(hidden!.shape, 1), head, attributes, chunks.at(-1)));
    }
    const join = (parts: readonly string[]): string =>
      parts.length === 1 ? parts[0]! : emit.node('Concat', parts, { attributes: { axis: 0 } });
    return [join(chunks.map(({ ids }) => ids)), join(chunks.map(({ logProbabilities }) => logProbabilities))];
  },
};

/**
 * hidden [N, C], head [V, C] -> the likeliest tokens of each position, int32 [N, K], the likeliest first, and their
 * log-probabilities [N, K].
 * @param head one tensor, or its shards one after another, all of one form
 */
export function topTokens(
  hidden: Value,
  head: readonly Value[] | readonly BlockMatrix[],
  attributes: Omit<TopTokensAttributes, 'headForm'>,
): { readonly ids: Value; readonly logProbabilities: Value } {
  const shards: readonly (Value | BlockMatrix)[] = head;
  const headForm = shards.flatMap(shard => ('form' in shard ? [shard.form] : []))[0];
  const weights = shards.flatMap(shard => ('form' in shard ? shard.parts : [shard]));
  const outputs = applyOperation(topTokensOperation, [hidden, ...weights], { ...attributes, headForm });
  return { ids: outputs[0]!, logProbabilities: outputs[1]! };
}

interface TopTokens {
  readonly ids: string;
  readonly logProbabilities: string;
}

function emitChunk(
  emit: OnnxEmitter,
  part: string,
  width: number,
  head: readonly HeadShard[],
  { count, temperature, softcap }: TopTokensAttributes,
  previous: TopTokens | undefined,
): TopTokens {
  const wait = (): string =>
    emit.node('Add', [emit.ints([-1, width]), emitZero(emit, [previous!.ids, previous!.logProbabilities])]);
  // One row more, dropped again: ONNX Runtime's TopK divides by the number of rows, and a chunk may have none.
  const spare = emit.node('Concat', [part, emit.floats(new Array<number>(width).fill(0), [1, width])], {
    attributes: { axis: 0 },
  });
  const hidden: Pick<Operand, 'name' | 'shape'> = {
    name: previous ? emit.node('Reshape', [spare, wait()]) : spare,
    shape: ['n', width],
  };
  const dropSpare = (tensor: string): string =>
    emit.node('Slice', [tensor, ...[0, -1, 0].map(number => emit.ints([number]))]);
  const shards = emitLogits(emit, hidden, head, softcap).map(({ name }) => name);
  const logits = shards.length === 1 ? shards[0]! : emit.node('Concat', shards, { attributes: { axis: 1 } });
  const scaled = temperature === 1 ? logits : emit.node('Div', [logits, emit.floats([temperature], [])]);
  const [values, places] = emit.nodeWithOutputs('TopK', [scaled, emit.ints([count])], 2, {
    attributes: { axis: 1, largest: 1, sorted: 1 },
  });
  const max = emitOverRow(emit, 'ReduceMax', scaled);
  const sum = emitOverRow(emit, 'ReduceSum', emit.node('Exp', [emit.node('Sub', [scaled, max])]));
  const logSumExp = emit.node('Add', [max, emit.node('Log', [sum])]);
  return {
    ids: dropSpare(emit.cast(places!, 'int32')),
    logProbabilities: dropSpare(emit.node('Sub', [values!, logSumExp])),
  };
}
