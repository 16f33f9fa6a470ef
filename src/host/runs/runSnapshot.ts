/** @file A run as read + what the host knows beside it -> the complete snapshot its panel draws. */
import type { RowDifference } from '../../shared/datasetProtocol.ts';
import type { WireError } from '../../shared/errors.ts';
import type { RunState } from '../../shared/pages.ts';
import type { StepRow } from '../../shared/runFolder.ts';
import { reachedStep } from '../../shared/runState.ts';
import { estimateRemainingMs } from './remainingTime.ts';
import type { RunReader } from './runReader.ts';

/** Rows sent as they are; above it, every bucket keeps its lowest and highest loss. */
const maxRows = 3000;

export interface RunExtras {
  pendingControl: RunState['pendingControl'];
  datasetChanged: boolean;
  datasetDifferences: { differences: RowDifference[]; differenceCount: number } | null;
  error: WireError | null;
  /** Of a pipeline. */
  pipeline: RunState['pipeline'];
}

export function takeRunSnapshot(run: RunReader, extras: RunExtras): RunState {
  const isRunning = run.state === 'running' || run.state === 'pausing' || run.state === 'stopping';
  return {
    id: run.id,
    name: run.name,
    path: run.path,
    state: run.state,
    status: run.status === undefined ? null : { ...run.status, step: reachedStep(run.status, run.series) },
    record: run.record ?? null,
    steps: thinSteps(run.series.steps, maxRows),
    evaluations: run.series.evaluations,
    samples: run.samples,
    logTail: run.logTail,
    remainingMs: isRunning ? estimateRemainingMs(run.series.steps, run.status?.totalSteps ?? 0) : null,
    remote: run.remote === null ? null : { host: run.remote.host, quietMs: run.remote.quietMs },
    trackers: run.trackers,
    canCompare: run.output !== undefined && !isRunning,
    ...extras,
  };
}

/** At most about `limit` rows that keep every bucket's extremes, the first and the last row. */
export function thinSteps(rows: readonly StepRow[], limit: number): StepRow[] {
  if (rows.length <= limit) return [...rows];
  const bucketRows = Math.ceil((rows.length * 2) / limit);
  const kept: StepRow[] = [];
  for (let start = 0; start < rows.length; start += bucketRows) {
    const bucket = rows.slice(start, start + bucketRows);
    let low = bucket[0]!;
    let high = bucket[0]!;
    for (const row of bucket) {
      if (row.lossNats < low.lossNats) low = row;
      if (row.lossNats > high.lossNats) high = row;
    }
    kept.push(...(low === high ? [low] : low.step < high.step ? [low, high] : [high, low]));
  }
  if (kept[0] !== rows[0]) kept.unshift(rows[0]!);
  const last = rows[rows.length - 1]!;
  if (kept.at(-1) !== last) kept.push(last);
  return kept;
}
