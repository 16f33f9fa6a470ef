/** @file study.json of a search: its trials as the journal tells them, with what readers want to see at once; rewritten whole at every change. */
import { z } from 'zod';

/** Names under the folder of a search. */
export const searchNames = { journal: 'optuna.journal', study: 'study.json', report: 'report.md' } as const;

export const shownTrialSchema = z.strictObject({
  number: z.number().int().min(0),
  state: z.enum(['waiting', 'running', 'complete', 'pruned', 'failed']),
  /** Id of the run that works on it; null before there is one. */
  run: z.string().nullable(),
  /** Texts by name, as after `--set`. */
  settings: z.record(z.string(), z.string()),
  value: z.number().nullable(),
  /** What was measured on the way: per cent of the run, value. */
  curve: z.array(z.tuple([z.number(), z.number()])),
});
export type ShownTrial = z.infer<typeof shownTrialSchema>;

export const studyWinnerSchema = z.strictObject({
  trial: z.number().int().min(0),
  /** Id of the run whose adapter it is. */
  run: z.string(),
  retrained: z.boolean(),
  /** On rows that no trial saw; null where there are none, or before they were measured. */
  testLossNats: z.number().nullable(),
  baseTestLossNats: z.number().nullable(),
  testRows: z.number().int().min(0),
});
export type StudyWinner = z.infer<typeof studyWinnerSchema>;

export const studySnapshotSchema = z.strictObject({
  direction: z.enum(['minimize', 'maximize']),
  trials: z.array(shownTrialSchema),
  /** Shares of 1, the most important first; empty while too few trials are complete. */
  importance: z.array(z.strictObject({ name: z.string(), share: z.number() })),
  /** Number of the best complete trial. */
  best: z.number().int().nullable(),
  winner: studyWinnerSchema.nullable(),
  /** Spent so far, over all attempts. */
  elapsedMs: z.number().min(0),
  tokens: z.number().min(0),
});
export type StudySnapshot = z.infer<typeof studySnapshotSchema>;
