/**
 * @file The result of a stage and the runs of it and all stages before -> the loss on each of their held-out sets, as each
 * run measured its own: same rows, same context, same mask. Of preferences the chosen answers are measured.
 */
import type { HeldOutMeasure } from '../../../shared/pipeline.ts';
import { readAdapter } from '../../adapter/readAdapter.ts';
import { evaluateLoss } from '../../infer/evaluateLoss.ts';
import { ModelPool } from '../../infer/modelPool.ts';
import type { OpenModelOptions } from '../../models/openModel.ts';
import { encodeExamples } from '../../text/encodeExamples.ts';
import { readRunData } from '../prepare/runQuestions.ts';
import type { StageResult } from './stageResult.ts';

export interface MeasureOptions {
  readonly models: OpenModelOptions;
  readonly onProgress: (set: string, done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/** Sets without a held-out row, or none that fits the context, are left out. @throws TuneError; AbortError when cancelled */
export async function measureHeldOut(
  result: StageResult,
  sets: readonly StageResult[],
  { models, onProgress, signal }: MeasureOptions,
): Promise<HeldOutMeasure[]> {
  const pool = new ModelPool({ models, weights: 'float' });
  const { threads } = result.record.hyperparameters;
  try {
    const { resident } = await pool.open(result.base, signal);
    const adapter = result.output.kind === 'adapter' ? readAdapter(result.output.folder) : null;
    const measures: HeldOutMeasure[] = [];
    for (const { name, run, id, record } of sets) {
      const { examples } = await readRunData(run);
      const { hyperparameters } = record;
      const contextTokens = Math.min(hyperparameters.contextTokens, resident.contextTokens);
      const settings = { ...hyperparameters, contextTokens };
      const { rows } = encodeExamples(examples.heldOut, { ...resident, ...settings });
      if (rows.length === 0) continue;
      const { evalLossNats, supervisedTokens } = await evaluateLoss(resident, adapter, rows, {
        ...settings,
        threads: threads ?? 0,
        device: 'cpu',
        onProgress: (done, total) => onProgress(name, done, total),
        signal,
      });
      measures.push({ set: name, run: id, rows: rows.length, lossNats: evalLossNats, supervisedTokens });
    }
    return measures;
  } finally {
    await pool.release();
  }
}
