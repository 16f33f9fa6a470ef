/**
 * @file A study -> its trials, each an ordinary run, some at once: asked for, worked on, measured at every evaluation,
 * ended early where it is not worth going on. What the journal calls running when it begins is gone on with.
 */
import { basename } from 'node:path';
import type { JsonLine } from '../../../shared/commandLine.ts';
import { fromWireError, toWireError, type WireError } from '../../../shared/errors.ts';
import type { SearchRecord } from '../../../shared/searchRecord.ts';
import { type Study, settingsOf } from '../../search/study.ts';
import type { Trial } from '../../search/trial.ts';
import type { TrainControl } from '../../train/trainLoop.ts';
import type { ChildEnd, ChildRuns } from '../childRuns.ts';
import type { JobEvent } from '../jobEvents.ts';
import type { StudyBook } from './studyBook.ts';
import { openTrialRun, readTrialProgress, type TrialShare, writeTrialRequest } from './trialRuns.ts';

export interface TrialsInput {
  /** The folder of the search. */
  readonly run: string;
  readonly record: SearchRecord;
  readonly book: StudyBook;
  readonly children: ChildRuns;
  readonly control: Pick<TrainControl, 'ask'>;
  readonly share: TrialShare;
  /** Of a metric that is measured when a trial has ended; absent: the best held-out loss. */
  readonly measure?: ((run: string) => Promise<number>) | undefined;
  readonly emit: (event: JobEvent) => void;
}

/** A trainer that was killed is started again so often. */
const retries = 2;
/** So many failures, and no success among them, are the search's own. */
const failuresAllowed = 3;

/** Resolves when the budget is spent, or with what was asked for. @throws TuneError the trials' own, when they all fail */
export async function runTrials(input: TrialsInput, parallel: number): Promise<'spent' | 'paused' | 'stopped'> {
  const loop = new TrialLoop(input);
  await Promise.all(Array.from({ length: parallel }, () => loop.work()));
  return loop.outcome();
}

class TrialLoop {
  private readonly study: Study;
  private readonly interrupted: Trial[];
  private turn: Promise<unknown> = Promise.resolve();
  private isPausedOutside = false;
  private failure: WireError | undefined;

  constructor(private readonly input: TrialsInput) {
    this.study = input.book.study;
    this.interrupted = this.study.trials().filter(({ state }) => state === 'running');
  }

  outcome(): 'spent' | 'paused' | 'stopped' {
    const asked = this.input.control.ask();
    if (asked === 'stop') return 'stopped';
    if (asked === 'pause' || this.isPausedOutside) return 'paused';
    if (this.failure !== undefined) throw fromWireError(this.failure);
    return 'spent';
  }

  async work(): Promise<void> {
    for (;;) {
      if (this.isOver()) return;
      const trial = await this.exclusively(() => this.next());
      if (trial === undefined) return;
      await this.attempt(trial);
    }
  }

  private isOver(): boolean {
    return this.input.control.ask() !== 'continue' || this.isPausedOutside || this.failure !== undefined;
  }

  private async next(): Promise<Trial | undefined> {
    const interrupted = this.interrupted.shift();
    if (interrupted !== undefined) return interrupted;
    return this.input.book.isSpent() ? undefined : this.study.ask();
  }

  private async attempt(trial: Trial): Promise<void> {
    const { run: search, record, share, children, book, emit } = this.input;
    const request = () => writeTrialRequest(record, trial, share);
    const path = await this.exclusively(() => openTrialRun(search, this.study, trial, request));
    this.tell(trial, path);
    let isPruned = await this.exclusively(() => this.report(trial, path));
    let asked: 'continue' | 'pause' | 'stop' = 'continue';
    const watch = {
      onLine: (line: JsonLine) => {
        emit({ kind: 'child', id: basename(path), line });
        if (line.type !== 'evaluation') return;
        this.exclusively(async () => {
          isPruned = (await this.report(trial, path)) || isPruned;
          book.write();
        }).catch(error => {
          this.failure = toWireError(error);
        });
      },
      ask: () => {
        const outside = this.input.control.ask();
        if (outside !== 'continue') asked = outside;
        else if (isPruned || book.isOverdrawn() || this.failure !== undefined) asked = 'stop';
        return asked;
      },
    };
    let end = await children.run(path, watch);
    for (let i = 0; i < retries && end.state === 'interrupted' && asked === 'continue'; i++) {
      end = await children.run(path, watch);
    }
    await this.exclusively(async () => {
      isPruned = (await this.report(trial, path)) || isPruned;
      await this.conclude(trial, path, end, asked);
      this.tell(trial, path);
    });
  }

  /** Notes what the run has measured since the last look; true when the trial is not worth going on. */
  private async report(trial: Trial, path: string): Promise<boolean> {
    const progress = readTrialProgress(path, this.input.record);
    if (progress === undefined) return false;
    this.input.book.noteTokens(trial, progress.tokens);
    let isPruned = false;
    for (const { percent, lossNats } of progress.reports) {
      if (trial.intermediate.has(percent)) continue;
      // Another metric is known only at the end: there is nothing to compare on the way.
      if (this.input.measure !== undefined) continue;
      isPruned = (await this.study.report(trial, percent, lossNats)) || isPruned;
    }
    return isPruned;
  }

  private async conclude(
    trial: Trial,
    path: string,
    end: ChildEnd,
    asked: 'continue' | 'pause' | 'stop',
  ): Promise<void> {
    const outside = this.input.control.ask();
    if (end.state === 'finished') {
      const value = await this.valueOf(path, end);
      if (value !== undefined) await this.study.end(trial, 'complete', value);
      else await this.fail(trial, end.error ?? nothingMeasured(path));
    } else if (outside !== 'continue' && end.state !== 'failed') {
      return; // it is gone on with when the search is
    } else if (end.state === 'stopped') {
      await this.study.end(trial, 'pruned');
    } else if (end.state === 'paused' && asked === 'continue') {
      this.isPausedOutside = true;
    } else {
      await this.fail(trial, end.error ?? nothingMeasured(path));
    }
  }

  private async valueOf(path: string, { status }: ChildEnd): Promise<number | undefined> {
    if (this.input.measure !== undefined) return this.input.measure(path);
    return status?.bestEvalLossNats ?? undefined;
  }

  private async fail(trial: Trial, error: WireError): Promise<void> {
    await this.study.end(trial, 'failed');
    this.input.emit({ kind: 'note', text: `Trial ${trial.number} failed: ${error.message}` });
    const trials = this.study.trials();
    const failed = trials.filter(({ state }) => state === 'failed').length;
    const isAnyGood = trials.some(({ state }) => state === 'complete' || state === 'pruned');
    if (!isAnyGood && failed >= failuresAllowed) this.failure = error;
  }

  private tell(trial: Trial, path: string): void {
    const { book, emit, record } = this.input;
    const snapshot = book.write();
    const { number, state, value } = trial;
    const settings = Object.fromEntries(settingsOf(trial));
    emit({ kind: 'line', line: { type: 'trial', number, state, run: basename(path), settings, value: value ?? null } });
    const best = snapshot.trials.find(shown => shown.number === snapshot.best);
    emit({
      kind: 'advance',
      step: book.finished,
      totalSteps: record.settings.budget.trials ?? snapshot.trials.length,
      bestStep: best?.number ?? null,
      bestEvalLossNats: best?.value ?? null,
    });
  }

  /** One at a time: what several trials at once write to the journal must not mix. */
  private exclusively<T>(act: () => Promise<T>): Promise<T> {
    const result = this.turn.then(act);
    this.turn = result.catch(() => undefined);
    return result;
  }
}

function nothingMeasured(path: string): WireError {
  return {
    code: 'preflight',
    message: `${path}: expected a held-out loss to judge the trial by, got none`,
    hint: 'Raise evalRatio, or add rows with different questions.',
  };
}
