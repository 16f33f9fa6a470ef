/** @file The JSON lines of `tuning-fork ... --json`, one object a line, and the exit codes. */
import type { DriftReport } from './drift.ts';
import type { WireError } from './errors.ts';
import type { StageState } from './pipeline.ts';
import type { Measures, StepRow } from './runFolder.ts';
import type { ServedRequest } from './serverProtocol.ts';

export const exitCodes = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

export type JsonLine =
  | { type: 'run'; id: string; path: string }
  | { type: 'progress'; phase: string; done: number; total: number }
  | ({ type: 'step' } & Omit<StepRow, 'kind'>)
  | ({
      type: 'evaluation';
      step?: number;
      evalLossNats: number;
      /** Of the dataset's tokens; absent in preference tuning. */
      perplexity?: number;
      /** Absent for the base model. */
      adapter?: string;
      /** Examples in front of each question, where there are any. */
      fewShot?: number;
    } & Measures)
  | { type: 'sample'; step: number; prompt: string; text: string }
  | { type: 'checkpoint'; step: number; path: string }
  /** Of a pipeline: where a stage stands; `run` once it has one. */
  | { type: 'stage'; stage: string; index: number; total: number; state: StageState; run: string | null }
  /** The loss on the held-out rows of `set` after `stage`, and against that right after the set's own stage. */
  | { type: 'forgetting'; stage: string; set: string; lossNats: number; changeNats: number | null }
  | {
      type: 'trial';
      number: number;
      state: 'waiting' | 'running' | 'complete' | 'pruned' | 'failed';
      /** Id of its run. */
      run: string;
      /** Texts by name, as after `--set`. */
      settings: Record<string, string>;
      value: number | null;
    }
  /** What a run says that this run started. */
  | { type: 'child'; id: string; line: JsonLine }
  | {
      type: 'generation';
      /** Null for the base model. */
      adapter: string | null;
      /** `base`, `prompted` (base with its best prompt) or `adapter`. */
      kind: 'base' | 'prompted' | 'adapter';
      prompt: string;
      text: string;
      reference?: string;
      promptTokens: number;
      outputTokens: number;
      firstTokenMs: number;
      tokensPerSecond: number;
    }
  | { type: 'problem'; file: string; line: number | null; code: string; message: string; fix: string }
  /** What a cleaning step did, and the first rows that it removed and changed. */
  | { type: 'cleaning'; step: string; rowsBefore: number; rowsAfter: number; removed: number; changed: number }
  | { type: 'removed'; step: string; file: string; line: number; reason: string }
  | { type: 'changed'; step: string; file: string; line: number; before: string; after: string }
  /** Where `serve` answers; the key where it stands nowhere else. */
  | { type: 'server'; baseUrl: string; models: string[]; key?: string }
  | ({ type: 'request' } & ServedRequest)
  /** A row of a dataset under review, and who decided when, where somebody did. */
  | ({ type: 'reviewed'; key: string; file: string; line: number; state: 'pending' | 'accept' | 'edit' | 'reject' } & (
      | { reviewer: string; at: string; note: string | null }
      | Record<never, never>
    ))
  /** How the rows that a dataset got since a run differ, before a run goes on with them. */
  | { type: 'drift'; report: DriftReport }
  | ({ type: 'result' } & Record<string, unknown>)
  | ({ type: 'error' } & WireError);

/** The last line of a successful `train`. */
export interface TrainResult {
  path: string;
  /** Folder of the adapter or model. */
  output: string;
  steps: number;
  baseEvalLossNats: number | null;
  bestEvalLossNats: number | null;
  bestStep: number | null;
  stoppedEarly: boolean;
  peakRssBytes: number;
}
