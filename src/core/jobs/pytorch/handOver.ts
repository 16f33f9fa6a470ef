/** @file A prepared run -> a run folder from which Python goes on by itself. */
import { join } from 'node:path';
import { runNames } from '../../../shared/runFolder.ts';
import type { WeightCache } from '../../models/weightCache.ts';
import { CheckpointFolder } from '../../train/checkpointFolder.ts';
import type { JobEnd, JobEvent } from '../jobEvents.ts';
import type { PreparedRun } from '../prepare/prepareRun.ts';
import { readReachedState } from '../train/continueFrom.ts';
import { readPeakRssBytes } from '../train/peakMemory.ts';
import { ensureModelFolder } from './ensureModelFolder.ts';
import { writePytorchPlan } from './writePytorchPlan.ts';

/** @throws TuneError `disk-full` | `not-writable` */
export function* handOver(
  run: string,
  prepared: PreparedRun,
  weightCache: WeightCache | undefined,
): Generator<JobEvent, JobEnd> {
  for (const text of prepared.notes) yield { kind: 'note', text };
  for (const problem of prepared.warnings) yield { kind: 'warning', problem };
  if (prepared.model.format === 'gguf') yield { kind: 'phase', name: 'dequantizing model', done: 0, total: 1 };
  const modelFolder = ensureModelFolder(prepared.model, weightCache ?? ownCache(run));
  yield { kind: 'phase', name: 'writing the plan', done: 0, total: 1 };
  writePytorchPlan(run, prepared, modelFolder);
  const { step, baseEvalLossNats, bestEvalLossNats, bestStep } = readReachedState(
    new CheckpointFolder(join(run, runNames.checkpoints)),
  );
  const reached = { step, baseEvalLossNats, bestEvalLossNats, bestStep };
  return { reason: 'handedOver', output: null, ...reached, peakRssBytes: readPeakRssBytes() };
}

/** Without a cache of the user's: the run's own, without a budget. */
function ownCache(run: string): WeightCache {
  return { folder: join(run, runNames.cache), budgetBytes: Number.POSITIVE_INFINITY };
}
