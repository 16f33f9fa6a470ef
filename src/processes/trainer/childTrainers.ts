/** @file Runs that a job starts -> trainers attached to this process: they pause with a checkpoint when it goes away. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChildEnd, ChildRuns, ChildWatch } from '../../core/jobs/childRuns.ts';
import { throwIfInterrupted } from '../../core/jobs/interruption.ts';
import { requestControl } from '../../core/runs/controlFolder.ts';
import { DeviceQueue } from '../../core/runs/deviceQueue.ts';
import { viewRun } from '../../core/runs/runView.ts';
import type { TrainControl } from '../../core/train/trainLoop.ts';
import { TuneError, type WireError } from '../../shared/errors.ts';
import type { HubSettings } from '../../shared/hubSettings.ts';
import { type ProcessIdentity, runNames } from '../../shared/runFolder.ts';
import { isActive, isResumable } from '../../shared/runState.ts';
import type { TrackerOrders } from '../../shared/trackers.ts';
import type { TrainerReply } from '../../shared/trainerProtocol.ts';
import { startNextRuns, trainerProgram } from './startTrainer.ts';

const pollMs = 200;

export interface ChildTrainersInput {
  /** The run of the job that starts others. */
  readonly run: string;
  readonly identity: ProcessIdentity;
  readonly hub: HubSettings | undefined;
  /** Children are reported where their parent is, with its keys. */
  readonly trackers: TrackerOrders | undefined;
  readonly control: Pick<TrainControl, 'ask'>;
  readonly log: (text: string) => void;
}

export class ChildTrainers implements ChildRuns {
  constructor(private readonly input: ChildTrainersInput) {}

  async run(path: string, watch: ChildWatch): Promise<ChildEnd> {
    let refusal: WireError | undefined;
    for (;;) {
      if (!existsSync(join(path, runNames.status))) return { state: 'failed', status: undefined, error: refusal };
      const { state, status } = viewRun(path);
      // A trainer whose parent was killed is still writing its checkpoint.
      if (isActive(state)) {
        await sleep(pollMs);
        continue;
      }
      const hasEnded = state !== 'queued' && !isResumable(state);
      if (hasEnded || (refusal !== undefined && refusal.code !== 'run-busy')) {
        return { state: refusal === undefined ? state : 'failed', status, error: refusal ?? status.error ?? undefined };
      }
      if (watch.ask() !== 'continue') return { state, status, error: undefined };
      refusal = await this.attend(path, watch);
      if (refusal === undefined) return readEnd(path);
      await sleep(pollMs);
    }
  }

  async withDevice<T>(act: () => Promise<T>): Promise<T> {
    const { run, identity, control, log } = this.input;
    const queue = new DeviceQueue('cpu', run);
    try {
      while (!(await queue.enter(run, identity, true)).isTurn) {
        throwIfInterrupted(control);
        await sleep(pollMs);
      }
      return await act();
    } finally {
      await startNextRuns(queue, await queue.leave(run, identity), { run, identity }, log);
    }
  }

  /** Until the trainer has ended; what it says to a command that it refuses. */
  private attend(path: string, { onLine, ask }: ChildWatch): Promise<WireError | undefined> {
    const { run, hub, trackers } = this.input;
    const child = spawnAttached();
    let refusal: WireError | undefined;
    let errorText = '';
    let asked: 'continue' | 'pause' | 'stop' = 'continue';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      errorText = (errorText + text).slice(-4000);
    });
    child.on('message', message => {
      const reply = message as TrainerReply;
      if (reply.type === 'event') {
        if (reply.line.type === 'error' && !existsSync(join(path, runNames.status))) {
          const { type: _type, ...error } = reply.line;
          refusal = error;
        }
        onLine(reply.line);
      } else if (reply.type === 'refused') refusal = reply.error;
    });
    const timer = setInterval(() => {
      const wanted = ask();
      if (wanted === 'continue' || wanted === asked || asked === 'stop') return;
      asked = wanted;
      pass(path, wanted, child);
    }, pollMs);
    child.send({
      type: 'resume',
      run: path,
      attached: true,
      group: run,
      ...(hub && { hub }),
      ...(trackers && { trackers: { ...trackers, targets: [] } }),
    });
    return new Promise(resolve => {
      const settle = (problem: WireError | undefined) => {
        clearInterval(timer);
        resolve(problem);
      };
      child.once('error', error => settle({ code: 'process-ended', message: `trainer: ${error.message}` }));
      child.once('exit', (code, signal) => {
        // A trainer that was killed is seen as such by its run's state.
        if (refusal === undefined && code !== null && code > 1 && code !== 130) {
          settle({ code: 'process-ended', message: `trainer: ended with ${signal ?? code}`, hint: errorText });
        } else settle(refusal);
      });
    });
  }
}

function spawnAttached(): ChildProcess {
  const stdio: StdioOptions = ['ignore', 'ignore', 'pipe', 'ipc'];
  return spawn(process.execPath, [...process.execArgv, trainerProgram()], { stdio, windowsHide: true });
}

/** Where nothing can be written any more, a trainer without its parent pauses by itself. */
function pass(path: string, what: 'pause' | 'stop', child: ChildProcess): void {
  try {
    requestControl(path, what);
  } catch (error) {
    if (!(error instanceof TuneError)) throw error;
    child.disconnect();
  }
}

function readEnd(path: string): ChildEnd {
  if (!existsSync(join(path, runNames.status))) return { state: 'failed', status: undefined, error: undefined };
  const { state, status } = viewRun(path);
  return { state, status, error: status.error ?? undefined };
}
