/**
 * @file A search's folder -> the best settings found: trials as ordinary runs, the winner judged on rows that none of them
 * saw, and a report. A killed search goes on from its journal and from what its trials' folders say.
 */
import { join } from 'node:path';
import { TuneError } from '../../../shared/errors.ts';
import type { SearchRecord } from '../../../shared/searchRecord.ts';
import { searchNames } from '../../../shared/studySnapshot.ts';
import { findOutput } from '../../infer/findOutput.ts';
import { JournalStudy } from '../../search/journalStudy.ts';
import { describeBase } from '../../search/searchSpace.ts';
import { BuiltInStudy, endHalfMadeTrials, type Study } from '../../search/study.ts';
import type { ChildRuns } from '../childRuns.ts';
import { JobInterrupted } from '../interruption.ts';
import type { JobEnd, JobEvent } from '../jobEvents.ts';
import type { CheckOptions } from '../prepare/checkRun.ts';
import { nameBaseModel, readRunData } from '../prepare/runQuestions.ts';
import { streamEvents } from '../streamEvents.ts';
import { streamPhases } from '../streamPhases.ts';
import { readPeakRssBytes } from '../train/peakMemory.ts';
import type { TrainJobInput } from '../train/trainJob.ts';
import { chooseAutomatically } from './chooseAutomatically.ts';
import { compareWithPrompt } from './compareWithPrompt.ts';
import { chooseWinner, finishSearch } from './finishSearch.ts';
import { measureTokenF1 } from './measureOutputs.ts';
import { prepareSearch, shareMachine } from './prepareSearch.ts';
import { runTrials } from './runTrials.ts';
import { directionOf, StudyBook } from './studyBook.ts';
import { dropForgottenRuns, runPath } from './trialRuns.ts';
import { describeDecisions, writeSearchReport } from './writeSearchReport.ts';

export interface SearchJobInput
  extends Pick<TrainJobInput, 'run' | 'control' | 'hub' | 'tinyFolder' | 'now' | 'python'> {
  readonly children: ChildRuns;
  /** Of a sampler or pruner that is not built in. */
  readonly openStudy: (record: SearchRecord, journal: JournalStudy) => Promise<Study>;
}

/** Of the one study in a search's journal. */
const studyName = 'search';

/** @throws TuneError */
export async function* searchJob(input: SearchJobInput): AsyncGenerator<JobEvent, JobEnd> {
  const { run, control, hub, tinyFolder, python } = input;
  let book: StudyBook | undefined;
  try {
    const record = yield* streamPhases(onPhase => prepare(input, { tinyFolder, hub, control, python, onPhase }));
    yield { kind: 'prepared', record, step: 0, totalSteps: record.settings.budget.trials ?? 0 };
    const study = await openStudy(input, record);
    try {
      book = new StudyBook(run, record, study, input.now);
      return yield* searchPrepared(input, record, book);
    } finally {
      await study.close();
    }
  } catch (error) {
    if (!(error instanceof JobInterrupted)) throw error;
    return toEnd(error.reason, book);
  }
}

function prepare({ run, now }: SearchJobInput, options: CheckOptions): Promise<SearchRecord> {
  return prepareSearch(run, options, request => chooseAutomatically(request, options, now));
}

/** The recipe's own settings are tried first: the search is never worse than not to search. */
async function openStudy({ run, openStudy: openOther }: SearchJobInput, record: SearchRecord): Promise<Study> {
  const { metric, space, sampler, pruner } = record.settings;
  const place = { path: join(run, searchNames.journal), name: studyName, direction: directionOf(record), metric };
  const journal = await JournalStudy.open(place);
  await endHalfMadeTrials(journal, space);
  const base = describeBase(record.base, space);
  if (journal.trials().length === 0 && base !== undefined) await journal.enqueue(base);
  const isOther = sampler.startsWith('optuna:') || pruner.startsWith('optuna:');
  return isOther ? openOther(record, journal) : new BuiltInStudy(journal, record.settings);
}

async function* searchPrepared(
  input: SearchJobInput,
  record: SearchRecord,
  book: StudyBook,
): AsyncGenerator<JobEvent, JobEnd> {
  const { run, control, children, tinyFolder, hub } = input;
  const models = { tinyFolder, ...(hub === undefined ? {} : { hub: { settings: hub } }) };
  dropForgottenRuns(run, book);
  const { parallel, share } = shareMachine(record);
  if (parallel > 1) yield { kind: 'note', text: `Search: ${parallel} trials at once.` };
  const measure = async (path: string) => {
    const { examples, record: trial } = await readRunData(path);
    const settings = trial.hyperparameters;
    const request = { model: nameBaseModel(record.model), models, examples: examples.heldOut, settings };
    return children.withDevice(() => measureTokenF1(path, request));
  };
  const isByLoss = record.settings.metric === 'heldOutLoss';
  const outcome = yield* streamEvents(emit =>
    runTrials({ run, record, book, children, control, share, measure: isByLoss ? undefined : measure, emit }, parallel),
  );
  book.write();
  if (outcome !== 'spent') return toEnd(outcome, book);
  const trial = chooseWinner(run, book);
  if (trial === undefined) {
    throw new TuneError('preflight', `${run}: expected a trial that was measured, got none within the budget`, {
      file: run,
      hint: 'Give the search more time, or a smaller model.',
    });
  }
  const winner = yield* streamEvents(emit =>
    finishSearch({ run, record, book, children, control, models, emit }, trial),
  );
  if (winner === undefined) return toEnd(control.ask() === 'stop' ? 'stopped' : 'paused', book);
  const more: string[] = [];
  if (record.automatic !== null) {
    yield { kind: 'phase', name: 'comparing with the best prompt', done: 0, total: 1 };
    const path = runPath(run, winner.run);
    const data = await readRunData(path);
    const lines = await children.withDevice(() =>
      compareWithPrompt(path, data, { model: nameBaseModel(record.model), models }),
    );
    more.push(...describeDecisions(record.automatic), ...lines);
  }
  const report = writeSearchReport(run, record, book.write(), more);
  const output = findOutput(runPath(run, winner.run)).folder;
  const { trial: winningTrial, run: winningRun, ...judged } = winner;
  return {
    ...toEnd('finished', book),
    output,
    result: {
      output,
      report,
      trial: winningTrial,
      run: runPath(run, winningRun),
      value: trial.value ?? null,
      ...judged,
    },
  };
}

function toEnd(reason: 'finished' | 'paused' | 'stopped', book: StudyBook | undefined): JobEnd {
  const best = book?.findBest();
  return {
    reason,
    step: book?.finished ?? 0,
    output: null,
    baseEvalLossNats: null,
    bestEvalLossNats: best?.value ?? null,
    bestStep: best?.number ?? null,
    peakRssBytes: readPeakRssBytes(),
  };
}
