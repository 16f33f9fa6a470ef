/**
 * @file A run that was prepared for PyTorch -> its end. Python writes the folder by itself, status and answers to requests
 * included; this side starts it, tells an attached parent what the folder says, and says what a dead Python could not.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JobEnd, JobEvent } from '../../../core/jobs/jobEvents.ts';
import { requestControl } from '../../../core/runs/controlFolder.ts';
import { readStatus } from '../../../core/runs/runFiles.ts';
import { TuneError, type WireError } from '../../../shared/errors.ts';
import { type ProcessIdentity, type RunStatus, runNames } from '../../../shared/runFolder.ts';
import { pythonCommand } from './pythonCommand.ts';
import { type PythonEnd, runPython } from './pythonProcess.ts';
import { RunEvents } from './runEvents.ts';

export interface PytorchInput {
  readonly run: string;
  readonly interpreter: string;
  readonly identity: ProcessIdentity;
  /** What the preparation reached. */
  readonly reached: JobEnd;
  readonly onEvent: (event: JobEvent) => void;
  readonly log: (text: string) => void;
}

export type PytorchOutcome = { readonly end: JobEnd } | { readonly error: WireError; readonly isWritten: boolean };

const pollMs = 200;

export class PytorchAttempt {
  private readonly input: PytorchInput;
  private peakRssBytes = 0;

  constructor(input: PytorchInput) {
    this.input = input;
  }

  /** Asked for as anybody asks: Python looks after the folder of requests. */
  ask(what: 'pause' | 'stop'): void {
    try {
      requestControl(this.input.run, what);
    } catch (error) {
      // A disk that takes nothing: Python fails by itself where it has to write.
      if (!(error instanceof TuneError)) throw error;
      this.input.log(`trainer: could not ask Python to ${what}: ${error.message}`);
    }
  }

  async run(): Promise<PytorchOutcome> {
    const { run, interpreter, identity, log } = this.input;
    const events = new RunEvents(run);
    const timer = setInterval(() => this.tell(events), pollMs);
    const ended = await runPython(pythonCommand(interpreter, run, identity), text => log(text));
    clearInterval(timer);
    this.tell(events);
    const status = readStatus(run);
    if (status.state === 'failed' && status.error !== null) return { error: status.error, isWritten: true };
    const end = this.toEnd(status, events);
    return end === undefined ? { error: explainEnd(run, ended), isWritten: false } : { end };
  }

  private tell(events: RunEvents): void {
    try {
      for (const event of events.read()) {
        if (event.kind === 'step') this.peakRssBytes = event.row.peakRssBytes;
        this.input.onEvent(event);
      }
    } catch (error) {
      this.input.log(`trainer: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  private toEnd(status: RunStatus, events: RunEvents): JobEnd | undefined {
    const { run, reached } = this.input;
    const reason = toReason(status);
    if (reason === undefined) return undefined;
    const output = [runNames.adapter, runNames.model].map(name => join(run, name)).find(path => existsSync(path));
    return {
      reason,
      step: status.step,
      output: output ?? null,
      baseEvalLossNats: events.measuredBase ?? reached.baseEvalLossNats,
      bestEvalLossNats: status.bestEvalLossNats,
      bestStep: status.bestStep,
      peakRssBytes: Math.max(this.peakRssBytes, reached.peakRssBytes),
    };
  }
}

function toReason({ state, stoppedEarly }: RunStatus): JobEnd['reason'] | undefined {
  if (state === 'finished') return stoppedEarly ? 'stoppedEarly' : 'finished';
  return state === 'paused' || state === 'stopped' ? state : undefined;
}

/** What Python said last, or how it ended when it said nothing. */
function explainEnd(run: string, { code, signal, lastLine }: PythonEnd): WireError {
  const said = lastLine || lastLineOf(join(run, runNames.rankLogs, 'rank-0.txt'));
  const how = signal === null ? `exit code ${code}` : signal;
  const missing = /No module named '([\w.]+)'/.exec(said)?.[1];
  if (missing !== undefined) {
    return {
      code: 'engine',
      message: `Python: expected the packages of the PyTorch engine, got no ${missing}`,
      hint: 'Set up PyTorch again (tuning-fork python install), or install it into the Python that tuningFork.pythonPath names.',
    };
  }
  const isKilled = signal === 'SIGKILL';
  return {
    code: isKilled ? 'memory' : 'process-ended',
    message: `Python: expected an end of its own, got ${how}${said === '' ? '' : `: ${said}`}`,
    hint: isKilled
      ? 'The system may have ended it for want of memory: lower batchRows or contextTokens, then resume the run.'
      : 'The log of the run has all that it said.',
  };
}

function lastLineOf(path: string): string {
  return existsSync(path) ? (readFileSync(path, 'utf8').trimEnd().split('\n').at(-1)?.trim() ?? '') : '';
}
