/** @file A run's adapter, the rows that it was measured on and new ones -> by how much its loss is higher on the new ones, and how sure that is. */
import type { DriftReport } from '../../../shared/drift.ts';
import { TuneError } from '../../../shared/errors.ts';
import type { RunRecord } from '../../../shared/recipe.ts';
import type { Example } from '../../data/example.ts';
import { evaluateLoss } from '../../infer/evaluateLoss.ts';
import { findOutputs } from '../../infer/findOutput.ts';
import type { ModelPool } from '../../infer/modelPool.ts';
import { readAdapters } from '../../infer/readAdapters.ts';
import { encodeExamples } from '../../text/encodeExamples.ts';
import { createGenerator, permute } from '../../text/seededOrder.ts';
import { nameBaseModel } from '../prepare/runQuestions.ts';

interface RowLoss {
  readonly lossNatsSum: number;
  readonly tokens: number;
}

export interface LossDriftInput {
  /** The run's folder. */
  readonly run: string;
  readonly record: RunRecord;
  readonly heldOut: readonly Example[];
  readonly fresh: readonly Example[];
  /** Most rows of each side. */
  readonly sampleRows: number;
  readonly seed: number;
  /** Opens weights in floats. */
  readonly pool: ModelPool;
  readonly onProgress: (done: number, total: number) => void;
  readonly signal?: AbortSignal | undefined;
}

const resamples = 2000;

/** @throws TuneError `dataset-empty` where a side has no answer within the context; AbortError when cancelled */
export async function measureLossDrift(input: LossDriftInput): Promise<NonNullable<DriftReport['loss']>> {
  const { run, record, pool, signal } = input;
  const output = findOutputs([run]);
  const model = output.kind === 'model' ? output.folder : nameBaseModel(record.model);
  const { resident } = await pool.open(model, signal);
  const adapter = output.kind === 'adapter' ? readAdapters(output.folders, resident.model) : null;
  const { contextTokens: asked, batchRows, packing, trainOn } = record.hyperparameters;
  const contextTokens = Math.min(asked, resident.contextTokens);
  const measure = async (examples: readonly Example[], name: string): Promise<RowLoss[]> => {
    const { rows } = encodeExamples(examples, { ...resident, contextTokens, trainOn });
    if (rows.length === 0) {
      throw new TuneError('dataset-empty', `${name}: expected answers within ${contextTokens} tokens, got none`, {
        hint: 'Their loss cannot be measured: leave it out (--no-loss).',
      });
    }
    const losses: RowLoss[] = [];
    const settings = { contextTokens, batchRows, packing, device: 'cpu' as const, signal };
    await evaluateLoss(resident, adapter, rows, {
      ...settings,
      onProgress: input.onProgress,
      onRow: (_, lossNatsSum, tokens) => losses.push({ lossNatsSum, tokens }),
    });
    return losses;
  };
  const heldOut = await measure(takeSample(input.heldOut, input, 3), 'held-out rows');
  const fresh = await measure(takeSample(input.fresh, input, 4), 'new rows');
  const [low, high] = bootstrapDifference(fresh, heldOut, input.seed);
  const [heldOutNats, newNats] = [meanLoss(heldOut), meanLoss(fresh)];
  return {
    heldOutNats,
    newNats,
    heldOutRows: heldOut.length,
    newRows: fresh.length,
    differenceNats: newNats - heldOutNats,
    low,
    high,
  };
}

function takeSample(examples: readonly Example[], { sampleRows, seed }: LossDriftInput, side: number): Example[] {
  if (examples.length <= sampleRows) return [...examples];
  return Array.from(permute(examples.length, seed, side).subarray(0, sampleRows), row => examples[row]!);
}

/** Over tokens, as a run measures it. */
function meanLoss(rows: readonly RowLoss[]): number {
  let [sum, tokens] = [0, 0];
  for (const row of rows) {
    sum += row.lossNatsSum;
    tokens += row.tokens;
  }
  return sum / tokens;
}

/** Of two groups of different rows: each is drawn anew by itself (percentile bootstrap, Efron 1979). */
export function bootstrapDifference(
  first: readonly RowLoss[],
  second: readonly RowLoss[],
  seed: number,
): [low: number, high: number] {
  const next = createGenerator([seed, first.length, second.length]);
  const draw = (rows: readonly RowLoss[]): number =>
    meanLoss(rows.map(() => rows[Math.floor((next() / 2 ** 32) * rows.length)]!));
  const differences = Float64Array.from({ length: resamples }, () => draw(first) - draw(second)).sort();
  return [differences[Math.floor(0.025 * resamples)]!, differences[Math.ceil(0.975 * resamples) - 1]!];
}
