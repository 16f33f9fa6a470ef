/** @file The trials of a search -> its winner: kept or trained anew, then judged once on rows that no trial saw. */

import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { fromWireError } from '../../../shared/errors.ts';
import type { RunRequest } from '../../../shared/recipe.ts';
import { runNames } from '../../../shared/runFolder.ts';
import type { SearchRecord } from '../../../shared/searchRecord.ts';
import type { StudyWinner } from '../../../shared/studySnapshot.ts';
import { findOutput } from '../../infer/findOutput.ts';
import { readRecord } from '../../runs/runFiles.ts';
import { createRunFolder, storeOf } from '../../runs/runStore.ts';
import { runOf } from '../../search/study.ts';
import { lastReport, signed, type Trial } from '../../search/trial.ts';
import type { TrainControl } from '../../train/trainLoop.ts';
import type { ChildRuns } from '../childRuns.ts';
import type { JobEvent } from '../jobEvents.ts';
import { nameBaseModel, readRunData } from '../prepare/runQuestions.ts';
import { type MeasureRequest, measureLosses } from './measureOutputs.ts';
import type { StudyBook } from './studyBook.ts';
import { readTrialProgress, runPath, writeTrialRequest } from './trialRuns.ts';

export interface FinishInput {
  readonly run: string;
  readonly record: SearchRecord;
  readonly book: StudyBook;
  readonly children: ChildRuns;
  readonly control: Pick<TrainControl, 'ask'>;
  readonly models: MeasureRequest['models'];
  readonly emit: (event: JobEvent) => void;
}

/** The best complete trial; where time ended before any was complete, the one that had come furthest down. */
export function chooseWinner(search: string, book: StudyBook): Trial | undefined {
  const best = book.findBest();
  if (best !== undefined) return best;
  const measured = book.study.trials().filter(trial => lastReport(trial) !== undefined && hasOutput(search, trial));
  const reached = (trial: Trial) => Math.min(...[...trial.intermediate.values()].map(v => signed(v, book.direction)));
  return measured.sort((a, b) => reached(a) - reached(b))[0];
}

function hasOutput(search: string, trial: Trial): boolean {
  const id = runOf(trial);
  if (id === undefined) return false;
  const path = runPath(search, id);
  return existsSync(join(path, runNames.adapter)) || existsSync(join(path, runNames.model));
}

/** Undefined when it was paused or stopped. @throws TuneError of the run that trains the winner anew */
export async function finishSearch(input: FinishInput, trial: Trial): Promise<StudyWinner | undefined> {
  const { run, record, book } = input;
  const retrains = record.settings.winner === 'retrain';
  if (book.winner?.trial !== trial.number) {
    const id = retrains ? createRetraining(run, record, trial) : runOf(trial)!;
    book.winner = {
      trial: trial.number,
      run: id,
      retrained: retrains,
      testLossNats: null,
      baseTestLossNats: null,
      testRows: 0,
    };
    book.write();
  }
  if (retrains && !(await retrain(input, runPath(run, book.winner.run)))) return undefined;
  if (book.winner.testLossNats === null) {
    book.winner = { ...book.winner, ...(await judge(input, runPath(run, book.winner.run))) };
    book.write();
  }
  return book.winner;
}

/** On training and held-out rows together, as many steps a row as the trial's best checkpoint had. */
function createRetraining(search: string, record: SearchRecord, trial: Trial): string {
  const request = writeTrialRequest(record, trial, { threads: null, memoryLimitBytes: null });
  const progress = readTrialProgress(runPath(search, runOf(trial)!), record);
  const { trainRows, heldOutRows } = readRecord(runPath(search, runOf(trial)!))!.forecast;
  const bestStep = progress?.status.bestStep ?? progress?.status.step ?? 1;
  const maxSteps = Math.max(1, Math.round((bestStep * (trainRows + heldOutRows)) / Math.max(1, trainRows)));
  const changed: RunRequest = {
    ...request,
    name: `${record.base.name.slice(0, 100)} · winner`,
    hyperparameters: {
      ...request.hyperparameters,
      evalRatio: 0,
      maxSteps,
      epochs: Math.max(request.hyperparameters.epochs, 1000),
    },
  };
  return createRunFolder(storeOf(search), changed, new Date()).id;
}

/** False when it was paused or stopped. */
async function retrain({ children, control, emit }: FinishInput, path: string): Promise<boolean> {
  const end = await children.run(path, {
    onLine: line => emit({ kind: 'child', id: basename(path), line }),
    ask: () => control.ask(),
  });
  if (end.state === 'finished') return true;
  if (control.ask() !== 'continue' || end.state === 'paused' || end.state === 'stopped') return false;
  throw fromWireError(
    end.error ?? { code: 'process-ended', message: `${path}: expected the winner to be trained, got ${end.state}` },
  );
}

async function judge(
  { run, record, children, models, emit }: FinishInput,
  path: string,
): Promise<Pick<StudyWinner, 'testLossNats' | 'baseTestLossNats' | 'testRows'>> {
  const { examples, record: winner } = await readRunData(path);
  const testRows = examples.test.length;
  if (testRows === 0) {
    emit({ kind: 'note', text: `${basename(run)}: no test rows were kept aside, so the winner is not judged on any.` });
    return { testLossNats: null, baseTestLossNats: null, testRows };
  }
  emit({ kind: 'phase', name: 'judging the winner on test rows', done: 0, total: 1 });
  const settings = { ...winner.hyperparameters, threads: winner.hyperparameters.threads ?? availableParallelism() };
  const request = { model: nameBaseModel(record.model), models, examples: examples.test, settings };
  const [base, tuned] = await children.withDevice(() => measureLosses([null, findOutput(path).folder], request));
  return { testLossNats: tuned ?? null, baseTestLossNats: base ?? null, testRows };
}
