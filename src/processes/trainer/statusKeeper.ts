/** @file Keeps status.json true: what happened, and a sign of life each second. */
import type { JobEvent } from '../../core/jobs/jobEvents.ts';
import { writeStatus } from '../../core/runs/runFiles.ts';
import type { RunStatus } from '../../shared/runFolder.ts';

const heartbeatMs = 1000;

export class StatusKeeper {
  private readonly run: string;
  private readonly onProblem: (error: unknown) => void;
  private status: RunStatus;
  private timer: NodeJS.Timeout | undefined;

  /** `onProblem` hears of a sign of life that could not be written. */
  constructor(run: string, status: RunStatus, onProblem: (error: unknown) => void) {
    this.run = run;
    this.status = status;
    this.onProblem = onProblem;
  }

  get current(): RunStatus {
    return this.status;
  }

  /** Goes on from what somebody else wrote meanwhile. */
  adopt(status: RunStatus): void {
    this.status = status;
  }

  /** @throws TuneError `disk-full` | `not-writable` */
  set(change: Partial<RunStatus>): void {
    this.status = { ...this.status, ...change, heartbeatAt: new Date().toISOString() };
    writeStatus(this.run, this.status, true);
  }

  /** As `set`, but a disk that cannot be written does not end the run. */
  show(change: Partial<RunStatus>): void {
    this.status = { ...this.status, ...change };
    this.beat();
  }

  startHeartbeat(): void {
    this.timer = setInterval(() => this.beat(), heartbeatMs);
  }

  stopHeartbeat(): void {
    clearInterval(this.timer);
  }

  /** Takes over what an event says; it is written with the next beat, and at once when the state changes. */
  apply(event: JobEvent): void {
    const lastProgressAt = new Date().toISOString();
    switch (event.kind) {
      case 'phase':
        this.status = {
          ...this.status,
          lastProgressAt,
          phase: { name: event.name, done: event.done, total: event.total },
        };
        break;
      case 'prepared': {
        const state = this.status.state === 'preparing' ? 'running' : this.status.state;
        const { step, totalSteps } = event;
        this.status = { ...this.status, lastProgressAt, state, step, totalSteps, phase: null };
        this.beat();
        break;
      }
      case 'step':
        this.status = { ...this.status, lastProgressAt, step: event.row.step, phase: null };
        break;
      case 'evaluation': {
        const { bestStep, bestEvalLossNats } = event;
        this.status = { ...this.status, lastProgressAt, bestStep, bestEvalLossNats, phase: null };
        break;
      }
      case 'advance': {
        const { step, totalSteps, bestStep, bestEvalLossNats } = event;
        this.status = { ...this.status, lastProgressAt, step, totalSteps, bestStep, bestEvalLossNats, phase: null };
        break;
      }
      case 'child':
      case 'line':
      case 'sample':
      case 'checkpoint':
        this.status = { ...this.status, lastProgressAt };
        break;
      case 'warning':
      case 'note':
        break;
    }
  }

  private beat(): void {
    this.status = { ...this.status, heartbeatAt: new Date().toISOString() };
    try {
      writeStatus(this.run, this.status, false);
    } catch (error) {
      this.onProblem(error);
    }
  }
}
