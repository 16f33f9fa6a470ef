/** @file What the dataset process answers: datasets open in the editor are read, checked, tokenised and forecast there. */
import type { CleaningRecipe, CleaningResult } from './cleaning.ts';
import type { CheckReport } from './datasetChecks.ts';
import type { DatasetFormat } from './datasetFormats.ts';
import type { EngineChoice } from './engineChoice.ts';
import type { WireError } from './errors.ts';
import type { HubSettings } from './hubSettings.ts';
import type { Hyperparameters } from './hyperparameters.ts';
import type { PipelineRequest } from './pipeline.ts';
import type { PipelineCheck, PipelineHelp } from './pipelineOutline.ts';
import type { Forecast, Mapping, RunRequest } from './recipe.ts';
import type { ReviewDecision, ReviewPage, ReviewStateName, TokenHistogram } from './review.ts';

export interface DatasetProblem {
  file: string;
  line: number | null;
  code: string;
  message: string;
  fix: string;
}

export interface ModelSize {
  hiddenSize: number;
  parameterCount: number;
  /** The most positions that the model was trained for. */
  maxContextTokens: number;
}

/** What `inspect` says of a file. */
export interface DatasetInspection {
  path: string;
  fileBytes: number;
  format: DatasetFormat;
  /** For people: `UTF-8`, `GB18030, gzip`. */
  encoding: string;
  /** Files read: 1, or those of a folder or pattern. */
  fileCount: number;
  mapping: Mapping;
  mappingChosen: boolean;
  /** Why this mapping, in words. */
  mappingReason: string;
  fields: string[];
  rows: number;
  /** Rows that become examples. */
  usableRows: number;
  problemCount: number;
  /** The first of them. */
  problems: DatasetProblem[];
  firstRows: { line: number; prompt: string; answer: string }[];
  /** With a model only. */
  tokens: { total: number; supervised: number; longestRow: number; rowsOverContext: number } | null;
  /** With a model of this machine only. */
  model: ModelSize | null;
}

/** One row as the model sees it. */
export interface RowTokens {
  line: number;
  tokens: { id: number; text: string; supervised: boolean }[];
}

export interface PreflightFinding {
  code: string;
  message: string;
  remedy: string;
  /** Name for `overrides`, when a person may insist. */
  override: string | null;
}

export interface ForecastReport {
  forecast: Forecast | null;
  /** Of all steps and evaluations, measured on this machine; null where that was not asked for, or cannot be. */
  trainingMs: number | null;
  /** Settings to change for the run to fit the memory limit; null when it fits as it is, or nothing makes it fit. */
  fit: Partial<Hyperparameters> | null;
  /** Whether it fits the memory limit and passes every check. */
  canStart: boolean;
  findings: PreflightFinding[];
  /** Which engine will train; absent while the model is not known. */
  engine?: EngineChoice | undefined;
  /** Why no forecast could be made. */
  error: WireError | null;
}

export interface RowDifference {
  change: 'added' | 'removed' | 'changed';
  /** Line in the file now (added, changed) or when the run read it (removed). */
  line: number;
  before: string | null;
  after: string | null;
}

export type DatasetCalls = {
  'dataset/lengths': {
    parameters: { path: string; model: string; contextTokens: number };
    result: TokenHistogram;
  };
  'review/page': {
    parameters: { path: string; state: ReviewStateName; offset: number; limit: number };
    result: ReviewPage;
  };
  /** With `edit` the text that the last answer becomes. */
  'review/set': {
    parameters: {
      path: string;
      key: string;
      decision: ReviewDecision;
      reviewer: string;
      note: string;
      answer: string | null;
    };
    result: null;
  };
  'dataset/check': { parameters: { path: string; mapping: Mapping | null }; result: CheckReport };
  /** Without `out` a preview; with it a new file and its report. */
  'dataset/clean': {
    parameters: { path: string; mapping: Mapping | null; recipe: CleaningRecipe; out: string | null };
    result: CleaningResult;
  };
  /** The first call: where models named by a Hub id are looked for. */
  'hub/configure': { parameters: HubSettings; result: null };
  'dataset/inspect': {
    parameters: { path: string; mapping: Mapping | null; model: string | null; contextTokens: number };
    result: DatasetInspection;
  };
  'dataset/row': {
    parameters: { path: string; mapping: Mapping | null; model: string; row: number; contextTokens: number };
    result: RowTokens;
  };
  'dataset/forecast': { parameters: { request: RunRequest }; result: ForecastReport };
  /** A pipeline file as it stands in an editor: what is wrong with it and, where nothing is, what would be run. */
  'pipeline/check': {
    parameters: { path: string; text: string };
    result: PipelineCheck & { request: PipelineRequest | null };
  };
  /** Line and column from 1. */
  'pipeline/help': { parameters: { text: string; line: number; column: number }; result: PipelineHelp };
  'dataset/compare': {
    parameters: { path: string; store: string; snapshot: string; mapping: Mapping };
    result: { sameBytes: boolean; differences: RowDifference[]; differenceCount: number };
  };
};
export type DatasetEvents = { 'dataset/progress': { path: string; done: number; total: number } };
