/**
 * @file Token rows -> the mean loss of their answers under the base or an adapter: training's own evaluation graph on the
 * resident weights, so that the figures are those of a run's metrics. Logits exist for one chunk of labels at a time.
 */
import { setImmediate } from 'node:timers/promises';
import { type Adapter, isDora } from '../adapter/readAdapter.ts';
import { emitOnnx } from '../graph/emitOnnx.ts';
import type { ParameterInfo } from '../models/architecture.ts';
import { fedInputNames, loraParameterNames, moduleOf } from '../models/loraNames.ts';
import { lossesOutput } from '../models/lossHead.ts';
import type { TrainableSpec } from '../models/trainableSpec.ts';
import type { BatchShape } from '../models/trainingContext.ts';
import { buildTrainingGraph } from '../models/trainingGraph.ts';
import { GraphSession, type SessionOptions } from '../runtime/graphSession.ts';
import { floatData, makeTensor, type RuntimeTensor } from '../runtime/tensor.ts';
import { evaluationBatches } from '../text/batchOrder.ts';
import { countLabels, type EncodedRow, type PackedBatch } from '../text/packedBatch.ts';
import { emptyLoss, makeBatchFeeds, sumLosses } from '../train/batchFeeds.ts';
import { evaluateHeldOut, type HeldOutLoss } from '../train/evaluateHeldOut.ts';
import { padBatch } from '../train/padBatch.ts';
import { checkFits, foldScale, gainOf, listLinear, makeSavedInputs } from './adapterInputs.ts';
import type { ResidentModel } from './residentModel.ts';
import { makeRopeFeeds } from './ropeFeeds.ts';

export interface LossSettings extends BatchShape, SessionOptions {
  /** Several rows share a context, as in training. */
  readonly packing: boolean;
  /** Told each row's own sum, by its number among the examples. */
  readonly onRow?: ((row: number, lossNats: number, tokens: number) => void) | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * @param resident its weights in floats
 * @param rows none longer than `contextTokens`
 * @throws TuneError `adapter-invalid`; AbortError when cancelled
 */
export async function evaluateLoss(
  resident: ResidentModel,
  adapter: Adapter | null,
  rows: readonly EncodedRow[],
  settings: LossSettings,
): Promise<HeldOutLoss> {
  const { contextTokens, batchRows, signal } = settings;
  const shape = { batchRows, contextTokens };
  const { spec, feeds: lora } = describeAdapter(resident, adapter);
  const { graph, outputs } = buildTrainingGraph(resident.model, shape, spec, 'evaluation');
  const session = await GraphSession.create(emitOnnx(graph, outputs), settings);
  const feeds = { ...resident.weights, ...lora, ...makeRopeFeeds(resident.model, contextTokens) };
  const { padTokenId } = resident.tokenizer;
  const batches = Array.from(evaluationBatches(rows, { ...settings, padTokenId }), batch =>
    padBatch(batch, { ...shape, padTokenId }),
  );
  try {
    const evaluation = evaluateHeldOut(
      {
        async evaluate(batch) {
          await setImmediate();
          if (batch.labels.length === 0) return emptyLoss;
          const results = await session.run({ ...feeds, ...makeBatchFeeds(batch, shape, 1) });
          if (settings.onRow !== undefined) tellRows(results[lossesOutput]!, batch, settings.onRow);
          return sumLosses(results[lossesOutput]!, batch);
        },
      },
      batches,
      () => signal?.aborted === true,
    );
    for (;;) {
      const next = await evaluation.next();
      if (next.done !== true) {
        settings.onProgress?.(next.value.done, next.value.total);
        continue;
      }
      signal?.throwIfAborted();
      if (next.value === undefined) throw new Error('internal: evaluation: expected a loss, got an interruption');
      return next.value;
    }
  } finally {
    await session.release();
  }
}

/** Labels stand row after row, in the order in which rows were packed. */
function tellRows(losses: RuntimeTensor, { rows }: PackedBatch, onRow: NonNullable<LossSettings['onRow']>): void {
  const values = floatData(losses);
  let at = 0;
  for (const row of rows ?? []) {
    const tokens = countLabels(row);
    onRow(
      row.row,
      values.subarray(at, at + tokens).reduce((sum, loss) => sum + loss, 0),
      tokens,
    );
    at += tokens;
  }
}

/** Perplexity of a mean loss in nats. */
export function toPerplexity(lossNats: number): number {
  return Math.exp(lossNats);
}

/** One rank for all pairs, as the graph wants it: smaller ones are filled up with zeros, which add nothing. */
function describeAdapter(
  { model, weights }: ResidentModel,
  adapter: Adapter | null,
): { spec: TrainableSpec; feeds: Readonly<Record<string, RuntimeTensor>> } {
  const gains = adapter !== null && isDora(adapter) ? ('fed' as const) : undefined;
  const toSpec = (rank: number, targets: readonly ParameterInfo[]): TrainableSpec => {
    return {
      method: 'lora',
      rank,
      scale: 1,
      mergesWeights: false,
      targets: new Set(targets.map(({ name }) => name)),
      gains,
    };
  };
  if (adapter === null) return { spec: toSpec(0, []), feeds: {} };
  const linear = listLinear(model);
  checkFits(adapter, model);
  const pairs = new Map(adapter.pairs.map(pair => [pair.module, pair]));
  const rank = Math.max(...adapter.pairs.map(pair => pair.rank));
  const targets = linear.filter(weight => pairs.has(moduleOf(weight)));
  const feeds = makeSavedInputs(model, adapter);
  for (const weight of targets) {
    const pair = pairs.get(moduleOf(weight))!;
    if (isDora(adapter)) {
      const gain = gainOf(weight, pair, { weights });
      feeds[fedInputNames.gain(pair.module)] = makeTensor('float32', gain, [gain.length]);
    }
    const names = loraParameterNames(pair.module);
    const a = new Float32Array(rank * pair.inputSize);
    a.set(pair.a);
    feeds[names.a] = makeTensor('float32', a, [rank, pair.inputSize]);
    const b = widenColumns(foldScale(pair), pair.rank, rank);
    feeds[names.b] = makeTensor('float32', b, [pair.outputSize, rank]);
  }
  return { spec: toSpec(rank, targets), feeds };
}

/** [out, from] -> [out, to] with zeros on the right. */
function widenColumns(values: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return values;
  const result = new Float32Array((values.length / from) * to);
  for (let row = 0; row * from < values.length; row++) {
    result.set(values.subarray(row * from, (row + 1) * from), row * to);
  }
  return result;
}
