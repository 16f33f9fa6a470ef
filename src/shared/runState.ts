/** @file What a reader shows of a run: honest state and series, derived from the files' contents alone. */
import { type EvaluationRow, metricsRowSchema, type RunStatus, type StepRow, type WrittenState } from './runFolder.ts';

export type ShownState = WrittenState | 'interrupted';

const activeStates: readonly WrittenState[] = ['preparing', 'running', 'pausing', 'stopping'];

/** States in which a process is expected behind the run. */
export function isActive(state: ShownState): boolean {
  return (activeStates as readonly string[]).includes(state);
}

/** Whether `resume` has something to do. */
export function isResumable(state: ShownState): boolean {
  return state === 'interrupted' || state === 'paused' || state === 'failed' || state === 'stopped';
}

/** The state to show: an active run whose process is gone is `interrupted`, whatever its status says. */
export function shownState(status: Pick<RunStatus, 'state'>, isProcessAlive: boolean): ShownState {
  return isActive(status.state) && !isProcessAlive ? 'interrupted' : status.state;
}

export interface RunSeries {
  readonly steps: StepRow[];
  readonly evaluations: EvaluationRow[];
}

/** The step a run has reached: metrics are written at every step, the status once a second. */
export function reachedStep(status: Pick<RunStatus, 'step'>, series: Pick<RunSeries, 'steps'>): number {
  return Math.max(status.step, series.steps.at(-1)?.step ?? 0);
}

/**
 * The rows that stand: lines are read in order, a torn or foreign line is dropped, and a row of a later attempt
 * supersedes every earlier row at the same or a later step.
 */
export function parseMetrics(text: string): RunSeries {
  const series: RunSeries = { steps: [], evaluations: [] };
  for (const line of text.split('\n')) appendMetricsLine(series, line);
  return series;
}

/** Adds one line of metrics.jsonl to a series; false when the line is no complete row. */
export function appendMetricsLine(series: RunSeries, line: string): boolean {
  if (line.trim() === '') return false;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return false;
  }
  const parsed = metricsRowSchema.safeParse(value);
  if (!parsed.success) return false;
  const row = parsed.data;
  dropSuperseded(series.steps, row.attempt, row.step);
  dropSuperseded(series.evaluations, row.attempt, row.step);
  if (row.kind === 'step') series.steps.push(row);
  else series.evaluations.push(row);
  return true;
}

function dropSuperseded(rows: (StepRow | EvaluationRow)[], attempt: number, step: number): void {
  while (rows.length > 0) {
    const last = rows[rows.length - 1]!;
    if (last.attempt < attempt && last.step >= step) rows.pop();
    else break;
  }
}
