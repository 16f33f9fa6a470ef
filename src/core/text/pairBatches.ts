/**
 * @file Rows of chosen and rejected answers in turn -> batches that hold both of a pair: the packs of chosen answers and,
 * below them, the packs of the rejected ones in the same order. Pairs are packed by the longer of the two.
 */
import { type BatchOrder, type BatchSettings, createBatchOrder, evaluationPacks } from './batchOrder.ts';
import { countLabels, type EncodedRow, type PackedBatch, type PreferenceLabels } from './packedBatch.ts';
import { buildBatch, type Pack } from './packRows.ts';

export interface PairSettings extends BatchSettings {
  /** Weight of the chosen answer's own loss, a mean over its tokens (Pang et al. 2024). */
  readonly rpoAlpha: number;
}

/** Contexts that run together: a pair takes one for each answer. */
export function countBatchRows({ objective, batchRows }: { objective: string; batchRows: number }): number {
  return objective === 'dpo' ? 2 * batchRows : batchRows;
}

/** The order of a run over pairs; a pack is a list of pairs. @param rows chosen and rejected answers in turn */
export function createPairOrder(rows: readonly EncodedRow[], settings: PairSettings): BatchOrder {
  const order = createBatchOrder(longerOfPairs(rows), settings);
  const batch = (step: number, microBatch: number) => buildPairBatch(rows, order.packsOf(step, microBatch), settings);
  return { ...order, batch };
}

/** As `evaluationBatches`, of pairs. */
export function* pairEvaluationBatches(
  rows: readonly EncodedRow[],
  settings: Omit<PairSettings, 'seed' | 'gradientAccumulation'>,
): Generator<PackedBatch> {
  for (const packs of pairEvaluationPacks(rows, settings)) yield buildPairBatch(rows, packs, settings);
}

/** As `evaluationPacks`, of pairs. */
export function pairEvaluationPacks(
  rows: readonly EncodedRow[],
  settings: Pick<PairSettings, 'contextTokens' | 'batchRows' | 'packing'>,
): Generator<Pack[]> {
  return evaluationPacks(longerOfPairs(rows), settings);
}

function longerOfPairs(rows: readonly EncodedRow[]): EncodedRow[] {
  return rows.flatMap((chosen, i) => {
    if (i % 2 === 1) return [];
    const rejected = rows[i + 1]!;
    return rejected.tokenIds.length > chosen.tokenIds.length ? rejected : chosen;
  });
}

function buildPairBatch(
  rows: readonly EncodedRow[],
  packs: readonly Pack[],
  { contextTokens, padTokenId, rpoAlpha }: Pick<PairSettings, 'contextTokens' | 'padTokenId' | 'rpoAlpha'>,
): PackedBatch {
  const side = (offset: number): Pack[] => packs.map(pack => pack.map(pair => 2 * pair + offset));
  const batch = buildBatch(rows, [...side(0), ...side(1)], contextTokens, padTokenId);
  const pairs = packs.flat().length;
  const pairOfLabel = new Int32Array(batch.labels.length);
  const signs = new Float32Array(batch.labels.length);
  const labelWeights = new Float32Array(batch.labels.length);
  let at = 0;
  for (const [index, row] of batch.rows!.entries()) {
    const isChosen = index < pairs;
    const end = at + countLabels(row);
    pairOfLabel.fill(index % pairs, at, end);
    signs.fill(isChosen ? 1 : -1, at, end);
    labelWeights.fill(isChosen ? rpoAlpha / (end - at) : 0, at, end);
    at = end;
  }
  const preference: PreferenceLabels = { pairOfLabel, signs, reference: new Float64Array(2 * pairs) };
  return { ...batch, labelWeights, preference };
}
