/** @file What a running job says: plain data that also crosses threads. */
import type { RunRecord } from '../../shared/recipe.ts';
import type { EvaluationRow, SampleRow, StepRow } from '../../shared/runFolder.ts';

export type JobEvent =
  /** Before training, and during an evaluation. */
  | { readonly kind: 'phase'; readonly name: string; readonly done: number; readonly total: number }
  /** The recipe stands in run.json; training begins at `step`. */
  | { readonly kind: 'prepared'; readonly record: RunRecord; readonly step: number; readonly totalSteps: number }
  | { readonly kind: 'step'; readonly row: StepRow }
  | {
      readonly kind: 'evaluation';
      readonly row: EvaluationRow;
      readonly bestStep: number | null;
      readonly bestEvalLossNats: number | null;
    }
  | { readonly kind: 'sample'; readonly row: SampleRow }
  | { readonly kind: 'checkpoint'; readonly step: number; readonly path: string }
  /** What a person should know of data or recipe, though it stops nothing. */
  | { readonly kind: 'warning'; readonly problem: JobWarning }
  /** For the log, and for whoever watches. */
  | { readonly kind: 'note'; readonly text: string };

export interface JobWarning {
  readonly file: string;
  /** Null where it is about the whole file. */
  readonly line: number | null;
  readonly code: string;
  readonly message: string;
  readonly fix: string;
}

export interface JobEnd {
  readonly reason: 'finished' | 'stoppedEarly' | 'paused' | 'stopped';
  readonly step: number;
  /** Folder of the adapter or model; null when this attempt trained nothing. */
  readonly output: string | null;
  readonly baseEvalLossNats: number | null;
  readonly bestEvalLossNats: number | null;
  readonly bestStep: number | null;
  readonly peakRssBytes: number;
}
