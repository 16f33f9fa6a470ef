/**
 * @file Texts -> vectors that lie near each other where the texts are about the same: the base model's own hidden states,
 * averaged over the tokens of a text. Short texts share a context, as in training. States of an early layer say more of the
 * meaning than the last ones, which say what comes next (Skean et al. 2025), and cost less.
 * @see https://arxiv.org/abs/2502.02013
 */
import { setImmediate } from 'node:timers/promises';
import { emitOnnx } from '../../graph/emitOnnx.ts';
import { buildHiddenStatesGraph, hiddenStatesOutput } from '../../models/hiddenStatesGraph.ts';
import { GraphSession, type SessionOptions } from '../../runtime/graphSession.ts';
import { floatData } from '../../runtime/tensor.ts';
import { evaluationPacks } from '../../text/batchOrder.ts';
import type { EncodedRow, PackedBatch } from '../../text/packedBatch.ts';
import { buildBatch } from '../../text/packRows.ts';
import type { TextTokenizer } from '../../text/tokenizer.ts';
import { makeBatchFeeds } from '../../train/batchFeeds.ts';
import { padBatch } from '../../train/padBatch.ts';
import type { ResidentModel } from '../residentModel.ts';
import { makeRopeFeeds } from '../ropeFeeds.ts';
import { scaleToLength1, type Vectors } from './vectors.ts';

export interface EmbedOptions extends SessionOptions {
  /** Tokens of a text that are read; what stands behind them is left out. Default 256. */
  readonly contextTokens?: number | undefined;
  /** Contexts that run at a time. Default 4. */
  readonly batchRows?: number | undefined;
  /** Layers that are run; default a fifth. */
  readonly layers?: number | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A row of length 1 for each text; zeros for a text without tokens. Compare rows after `centerVectors`, texts of different kinds
 * (questions, answers) each with the mean of their own kind.
 * @param resident its weights in floats
 * @throws AbortError when cancelled
 */
export async function embedTexts(
  resident: ResidentModel,
  texts: readonly string[],
  options: EmbedOptions = {},
): Promise<Vectors> {
  const { model, tokenizer, weights } = resident;
  const { hiddenSize, layers: allLayers } = model.config;
  const contextTokens = Math.min(options.contextTokens ?? 256, resident.contextTokens);
  const layers = options.layers ?? Math.max(1, Math.round(allLayers / 5));
  const values = new Float32Array(texts.length * hiddenSize);
  const rows = texts.flatMap((text, row) => encodeStart(text, row, tokenizer, contextTokens));
  const packs = [...evaluationPacks(rows, { contextTokens, batchRows: options.batchRows ?? 4, packing: true })];
  const batchRows = packs[0]?.length ?? 0;
  if (batchRows === 0) return { count: texts.length, size: hiddenSize, values };
  const shape = { batchRows, contextTokens };
  const { graph, outputs } = buildHiddenStatesGraph(model, shape, layers);
  const session = await GraphSession.create(emitOnnx(graph, outputs), options);
  const feeds = { ...weights, ...makeRopeFeeds(model, contextTokens) };
  const { padTokenId } = tokenizer;
  let done = 0;
  try {
    for (const batchPacks of packs) {
      await setImmediate();
      options.signal?.throwIfAborted();
      const batch = padBatch(buildBatch(rows, batchPacks, contextTokens, padTokenId), { ...shape, padTokenId });
      const results = await session.run({ ...feeds, ...makeBatchFeeds(batch, shape, 1) });
      averageRows(batch, floatData(results[hiddenStatesOutput]!), values, hiddenSize);
      done += batch.rows!.length;
      options.onProgress?.(done, rows.length);
    }
  } finally {
    await session.release();
  }
  return { count: texts.length, size: hiddenSize, values };
}

function encodeStart(text: string, row: number, tokenizer: TextTokenizer, contextTokens: number): EncodedRow[] {
  // A whole long text need not be tokenised for its start.
  const ids = tokenizer.encode(text.slice(0, contextTokens * 16)).slice(0, contextTokens);
  if (ids.length === 0) return [];
  if (tokenizer.addsBos && tokenizer.bosTokenId !== null) ids.unshift(tokenizer.bosTokenId);
  const tokenIds = Int32Array.from(ids.slice(0, contextTokens));
  return [{ row, tokenIds, supervised: new Uint8Array(tokenIds.length) }];
}

/**
 * Each token counts the same, whatever its length. A text's first token is left out where there are others: whatever it
 * is, it carries the same huge numbers, at which attention looks when it has nothing to look for.
 */
function averageRows(
  { segments, contextTokens, rows }: PackedBatch,
  hidden: Float32Array,
  values: Float32Array,
  size: number,
): void {
  let place = -1;
  const token = new Float32Array(size);
  for (let at = 0; at < segments.length; at++) {
    if (segments[at] === -1) continue;
    const isFirst = at % contextTokens === 0 || segments[at - 1] !== segments[at];
    if (isFirst) place++;
    const { row, tokenIds } = rows![place]!;
    if (isFirst && tokenIds.length > 1) continue;
    token.set(hidden.subarray(at * size, (at + 1) * size));
    scaleToLength1(token);
    const sum = values.subarray(row * size, (row + 1) * size);
    for (let i = 0; i < size; i++) sum[i]! += token[i]!;
  }
  for (const { row } of rows!) scaleToLength1(values.subarray(row * size, (row + 1) * size));
}
