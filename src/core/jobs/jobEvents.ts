/** @file What a running job says: plain data that also crosses threads. */
import type { JsonLine } from '../../shared/commandLine.ts';
import type { EvaluationRow, SampleRow, StepRow } from '../../shared/runFolder.ts';
import type { StoredRecord } from '../../shared/storedRecord.ts';

export type JobEvent =
  /** Before training, and during an evaluation. */
  | { readonly kind: 'phase'; readonly name: string; readonly done: number; readonly total: number }
  /** The recipe stands in run.json; training begins at `step`. */
  | { readonly kind: 'prepared'; readonly record: StoredRecord; readonly step: number; readonly totalSteps: number }
  | { readonly kind: 'step'; readonly row: StepRow }
  | {
      readonly kind: 'evaluation';
      readonly row: EvaluationRow;
      readonly bestStep: number | null;
      readonly bestEvalLossNats: number | null;
    }
  | { readonly kind: 'sample'; readonly row: SampleRow }
  | { readonly kind: 'checkpoint'; readonly step: number; readonly path: string }
  /** What a run says that this one started. */
  | { readonly kind: 'child'; readonly id: string; readonly line: JsonLine }
  /** How far a job has come that starts other runs: `step` of them are done. */
  | {
      readonly kind: 'advance';
      readonly step: number;
      readonly totalSteps: number;
      readonly bestStep: number | null;
      readonly bestEvalLossNats: number | null;
    }
  /** A line for whoever watches, as it is. */
  | { readonly kind: 'line'; readonly line: JsonLine }
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
  /** `handedOver`: the run is prepared, and another engine's process goes on from its folder. */
  readonly reason: 'finished' | 'stoppedEarly' | 'paused' | 'stopped' | 'handedOver';
  readonly step: number;
  /** Folder of the adapter or model; null when this attempt trained nothing. */
  readonly output: string | null;
  readonly baseEvalLossNats: number | null;
  readonly bestEvalLossNats: number | null;
  readonly bestStep: number | null;
  readonly peakRssBytes: number;
  /** In place of a training's figures: what the last line of the command line says. */
  readonly result?: Readonly<Record<string, unknown>>;
}
