/** @file What the steps of an evaluation share: what was prepared, what is known so far, and whom to tell. */
import type { OpenModelOptions } from '../../models/openModel.ts';
import type { EvaluationJournal } from './evaluationJournal.ts';
import type { PreparedEvaluation } from './prepareEvaluation.ts';

export interface EvaluationContext extends PreparedEvaluation {
  readonly journal: EvaluationJournal;
  readonly models: OpenModelOptions;
  readonly signal: AbortSignal;
  /** Of one step: answers of a candidate, its losses... */
  readonly onPhase: (name: string, done: number, total: number) => void;
}
