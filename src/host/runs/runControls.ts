/** @file The user's wishes for running trainers: written, followed until done, and a Stop that does not work is enforced. */
import { TuneError, toWireError, type WireError } from '../../shared/errors.ts';
import type { RunState } from '../../shared/pages.ts';
import type { ControlRequest, ProcessIdentity } from '../../shared/runFolder.ts';
import { isActive, isResumable } from '../../shared/runState.ts';
import { Emitter } from '../emitter.ts';
import { type ControlTicket, readControl, withdrawControl, writeControl } from './controlRun.ts';
import type { RunReader } from './runReader.ts';

const pollMs = 150;
const stopPatienceMs = 10_000;

export type RunAction = NonNullable<RunState['pendingControl']>;

export interface RunControlServices {
  resume(run: RunReader): Promise<void>;
  /** Takes a run that waits without a process out of the queue. */
  leaveQueue(run: RunReader): Promise<void>;
  /** False when the process is not confirmed as ours and was left alone. */
  endTree(run: string, identity: ProcessIdentity): Promise<boolean>;
  wait(ms: number): Promise<void>;
  now(): number;
  log(line: string): void;
}

interface Wish {
  pending: RunAction | null;
  error: WireError | null;
}

export class RunControls {
  private readonly wishes = new Map<string, Wish>();
  private readonly emitter = new Emitter<RunReader>();
  readonly onDidChange = this.emitter.event;

  constructor(private readonly services: RunControlServices) {}

  pendingOf(run: RunReader): RunAction | null {
    return this.wishes.get(run.path)?.pending ?? null;
  }

  errorOf(run: RunReader): WireError | null {
    return this.wishes.get(run.path)?.error ?? null;
  }

  /** Carries out the wish; what fails is shown with the run. A second click on the same wish changes nothing. */
  async request(run: RunReader, action: RunAction): Promise<void> {
    if (this.pendingOf(run) === action) return;
    // Another wish is carried out beside the one under way; the newest is the one shown.
    const wish: Wish = { pending: action, error: null };
    this.wishes.set(run.path, wish);
    this.emitter.fire(run);
    try {
      if (action === 'resume') await this.resume(run);
      else await this.control(run, action);
    } catch (error) {
      wish.error = toWireError(error);
      this.services.log(`${run.id}: ${action}: ${wish.error.message}`);
    }
    wish.pending = null;
    this.emitter.fire(run);
  }

  private async resume(run: RunReader): Promise<void> {
    // A queued run whose predecessors all died is started by whoever asks for it.
    if (!isResumable(run.state) && run.state !== 'queued') {
      throw new TuneError('run-busy', `${run.name}: expected a run to resume, got one that is ${run.state}`);
    }
    await this.services.resume(run);
    for (let i = 0; i < 40 && !isActive(run.state) && run.state !== 'queued'; i++) {
      await this.services.wait(pollMs);
      await run.refreshSummary();
    }
  }

  private async control(run: RunReader, type: ControlRequest['type']): Promise<void> {
    if (!isActive(run.state) && run.state !== 'queued') {
      throw new TuneError('run-busy', `${run.name}: expected a running process, got a run that is ${run.state}`);
    }
    if (run.state === 'queued' && (run.status?.identity ?? null) === null) {
      if (type === 'checkpoint') return;
      await this.services.leaveQueue(run);
      await run.refreshSummary();
      return;
    }
    const attempt = run.status?.attempt;
    const ticket = await writeControl(run.path, type);
    const startedAt = this.services.now();
    for (;;) {
      await this.services.wait(pollMs);
      const progress = await readControl(ticket);
      if (typeof progress === 'object') {
        if (progress.error !== undefined) throw progress.error;
        return await this.waitForRest(run, type, startedAt);
      }
      await run.refreshSummary();
      const isOver = (!isActive(run.state) && run.state !== 'queued') || run.status?.attempt !== attempt;
      if (isOver) return await withdrawControl(ticket);
      if (type === 'stop' && (await this.enforceStop(run, startedAt, ticket))) return;
    }
  }

  /** An answered Stop or Pause is over when the process is gone. */
  private async waitForRest(run: RunReader, type: ControlRequest['type'], startedAt: number): Promise<void> {
    if (type === 'checkpoint') return;
    for (;;) {
      await run.refreshSummary();
      if (!isActive(run.state)) return;
      if (type === 'stop' && (await this.enforceStop(run, startedAt, undefined))) return;
      await this.services.wait(pollMs);
    }
  }

  private async enforceStop(run: RunReader, startedAt: number, ticket: ControlTicket | undefined): Promise<boolean> {
    if (this.services.now() - startedAt < stopPatienceMs) return false;
    const identity = run.status?.identity;
    // A process of another machine is asked by file alone.
    if (identity === undefined || identity === null || run.remote !== null) return false;
    this.services.log(`${run.id}: Stop was not done within ${stopPatienceMs / 1000} s, ending process ${identity.pid}`);
    if (ticket !== undefined) await withdrawControl(ticket);
    if (!(await this.services.endTree(run.path, identity))) {
      throw new TuneError(
        'run-identity',
        `${run.name}: expected a process of ours, got a stranger's (${identity.pid})`,
        {
          hint: 'The process was left alone. The run is shown as interrupted once it is certain that nothing works on it.',
        },
      );
    }
    await run.refreshSummary();
    return true;
  }
}
