/** @file What one format makes of a tuned model: the border between the formats and what writes and checks them. */
import type { ExportCheck, ExportType } from '../../../shared/exportFormats.ts';
import type { FileToWrite } from '../../train/stagedFolder.ts';
import type { ProbedLogits } from './compareExport.ts';
import type { TunedModel } from './openTuned.ts';

export interface PlannedExport {
  /** Weights are read when they are written. */
  readonly files: Iterable<FileToWrite>;
  /** Name of the one file that holds it all, where there is one. */
  readonly file?: string | undefined;
  /** What the files take, about. */
  readonly totalBytes: number;
  /** Reads the written folder again. @param expected undefined where memory is too small to run the model */
  check(staged: string, expected: ProbedLogits | undefined): Promise<ExportCheck>;
}

export interface PlanOptions {
  readonly dtype: ExportType;
  readonly signal?: AbortSignal | undefined;
}

export type ExportPlanner = (tuned: TunedModel, options: PlanOptions) => PlannedExport;
