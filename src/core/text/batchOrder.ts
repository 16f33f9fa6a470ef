/**
 * @file Which rows a run meets when: rows -> packs, once a run; packs -> their order in an epoch; (step, micro-batch) ->
 * the batch. All of it is a pure function of the rows and the seed, so that a run resumes from the number of its step
 * alone. A step never reaches over the end of an epoch: the last one of an epoch may be smaller.
 */
import type { EncodedRow, PackedBatch } from './packedBatch.ts';
import { buildBatch, keepRowsApart, type Pack, packRows } from './packRows.ts';
import { permute } from './seededOrder.ts';

export interface BatchSettings {
  readonly contextTokens: number;
  /** Packs in a micro-batch. */
  readonly batchRows: number;
  /** Micro-batches in a step. */
  readonly gradientAccumulation: number;
  readonly packing: boolean;
  readonly seed: number;
  readonly padTokenId: number;
}

export interface StepPlan {
  readonly packs: number;
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
  /** Steps divided by steps of an epoch: what part of the rows the run meets, or how often. */
  readonly epochs: number;
}

/** Position of a step, from 0. */
export interface StepPosition {
  readonly epoch: number;
  readonly stepInEpoch: number;
  readonly microBatches: number;
}

export interface BatchOrder {
  readonly packs: readonly Pack[];
  readonly stepsPerEpoch: number;
  locate(step: number): StepPosition;
  /** The indices of the rows in a micro-batch, pack by pack. */
  packsOf(step: number, microBatch: number): Pack[];
  batch(step: number, microBatch: number): PackedBatch;
  /** Sums over the micro-batches of a step, known before it runs. */
  countStep(step: number): { tokens: number; supervisedTokens: number };
}

const packingPurpose = 1;
const epochPurpose = 2;

/** @param rows at least one. */
export function createBatchOrder(rows: readonly EncodedRow[], settings: BatchSettings): BatchOrder {
  const { contextTokens, batchRows, gradientAccumulation, packing, seed, padTokenId } = settings;
  const packs = packing
    ? packRows(rows, contextTokens, permute(rows.length, seed, packingPurpose))
    : keepRowsApart(rows);
  const packsPerStep = batchRows * gradientAccumulation;
  const stepsPerEpoch = Math.ceil(packs.length / packsPerStep);
  let known: { epoch: number; order: Int32Array } | undefined;
  const orderOf = (epoch: number): Int32Array => {
    if (known?.epoch !== epoch) known = { epoch, order: permute(packs.length, seed, epochPurpose, epoch) };
    return known.order;
  };
  const slice = (step: number, from: number, count: number): Pack[] => {
    const start = (step % stepsPerEpoch) * packsPerStep + from;
    const end = Math.min(start + count, ((step % stepsPerEpoch) + 1) * packsPerStep);
    return Array.from(orderOf(Math.floor(step / stepsPerEpoch)).subarray(start, end), pack => packs[pack]!);
  };
  const packsOf = (step: number, microBatch: number) => slice(step, microBatch * batchRows, batchRows);
  return {
    packs,
    stepsPerEpoch,
    packsOf,
    locate: step => ({
      epoch: Math.floor(step / stepsPerEpoch),
      stepInEpoch: step % stepsPerEpoch,
      microBatches: Math.ceil(slice(step, 0, packsPerStep).length / batchRows),
    }),
    batch: (step, microBatch) => buildBatch(rows, packsOf(step, microBatch), contextTokens, padTokenId),
    countStep: step =>
      countTokens(
        slice(step, 0, packsPerStep)
          .flat()
          .map(row => rows[row]!),
      ),
  };
}

function countTokens(rows: readonly EncodedRow[]): { tokens: number; supervisedTokens: number } {
  let tokens = 0;
  let supervisedTokens = 0;
  for (const row of rows) {
    tokens += row.tokenIds.length;
    for (const one of row.supervised) supervisedTokens += one;
  }
  return { tokens, supervisedTokens };
}

/** How many steps a run takes. `maxSteps` decides when it is given. */
export function planSteps(
  packs: number,
  settings: Pick<BatchSettings, 'batchRows' | 'gradientAccumulation'> & { epochs: number; maxSteps: number | null },
): StepPlan {
  const stepsPerEpoch = Math.ceil(packs / (settings.batchRows * settings.gradientAccumulation));
  const totalSteps = settings.maxSteps ?? Math.max(1, Math.ceil(settings.epochs * stepsPerEpoch));
  return { packs, stepsPerEpoch, totalSteps, epochs: stepsPerEpoch === 0 ? 0 : totalSteps / stepsPerEpoch };
}

type EvaluationSettings = Omit<BatchSettings, 'seed' | 'gradientAccumulation'>;

/** The packs of every row, batch by batch, in a fixed order, for evaluation: always the same, so that losses can be compared. */
export function* evaluationPacks(
  rows: readonly EncodedRow[],
  { contextTokens, batchRows, packing }: Pick<EvaluationSettings, 'contextTokens' | 'batchRows' | 'packing'>,
): Generator<Pack[]> {
  const inOrder = Int32Array.from(rows, (_, i) => i);
  const packs = packing ? packRows(rows, contextTokens, inOrder) : keepRowsApart(rows);
  for (let from = 0; from < packs.length; from += batchRows) yield packs.slice(from, from + batchRows);
}

export function* evaluationBatches(rows: readonly EncodedRow[], settings: EvaluationSettings): Generator<PackedBatch> {
  const { contextTokens, padTokenId } = settings;
  for (const packs of evaluationPacks(rows, settings)) yield buildBatch(rows, packs, contextTokens, padTokenId);
}
