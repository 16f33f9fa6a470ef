/** @file What a tracker is: told what the run's files gained, it brings that to its sink; it keeps no truth of its own. */
import type { RunRecord } from '../../shared/recipe.ts';
import type { EvaluationRow, SampleRow, StepRow } from '../../shared/runFolder.ts';
import type { ShownState } from '../../shared/runState.ts';
import type { TrackerKind } from '../../shared/trackers.ts';

export type RunUpdate =
  /** A later attempt starts again at this step: rows told before, from it on, no longer stand. */
  | { readonly type: 'superseded'; readonly fromStep: number }
  | { readonly type: 'row'; readonly row: StepRow | EvaluationRow }
  | { readonly type: 'sample'; readonly row: SampleRow };

export interface TrackedRun {
  readonly id: string;
  readonly path: string;
  readonly name: string;
  readonly tags: readonly string[];
  readonly record: RunRecord;
}

export interface RunRest {
  readonly state: ShownState;
  /** The final adapter's folder, when there is one and the run has come to its end. */
  readonly adapter: string | undefined;
}

export type TrackerMemory = Record<string, string | number>;

export interface Tracker {
  readonly kind: TrackerKind;
  /** True when each process must tell its sink everything anew. */
  readonly startsOver: boolean;
  /** Rows told at once, at most. */
  readonly batchRows: number;
  /** To be kept beside the position and given back to the next process. */
  readonly memory: TrackerMemory;
  readonly link: string | null;
  readonly remarks: readonly string[];
  /** Makes or finds its place. May be called again after a failure. */
  open(run: TrackedRun, memory: TrackerMemory): Promise<void>;
  /** May be called again with the same updates when it failed, or when the process died before the position was kept. */
  write(updates: readonly RunUpdate[]): Promise<void>;
  /** The run rests and all its rows were told. */
  rest(rest: RunRest): Promise<void>;
  /** Lets go of what it holds; it may be opened again. */
  dispose?(): Promise<void>;
}

/** Thrown by `write` when the sink cannot take back what it was told: everything is told again, without what no longer stands. */
export class StartOver extends Error {
  override readonly name = 'StartOver';
}
