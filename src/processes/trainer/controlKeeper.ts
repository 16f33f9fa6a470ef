/** @file Takes up control requests five times a second, passes them to the computing thread, and answers them when they are done. */
import { answerControl, closeControlRequests, takeControlRequests } from '../../core/runs/controlFolder.ts';
import type { ControlAnswer, ControlRequest } from '../../shared/runFolder.ts';

const pollMs = 200;

export class ControlKeeper {
  private readonly run: string;
  private readonly onRequest: (type: ControlRequest['type']) => void;
  private readonly onProblem: (error: unknown) => void;
  private readonly openCheckpoints: string[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(run: string, onRequest: (type: ControlRequest['type']) => void, onProblem: (error: unknown) => void) {
    this.run = run;
    this.onRequest = onRequest;
    this.onProblem = onProblem;
  }

  start(): void {
    this.poll();
    this.timer = setInterval(() => this.poll(), pollMs);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** A checkpoint was committed. */
  answerCheckpoints(): void {
    for (const id of this.openCheckpoints.splice(0)) this.attempt(() => answerControl(this.run, id, { ok: true }));
  }

  /** The run has ended: everything asked for is answered. */
  closeAll(answer: ControlAnswer): void {
    this.attempt(() => closeControlRequests(this.run, answer));
  }

  private poll(): void {
    this.attempt(() => {
      for (const { id, type } of takeControlRequests(this.run)) {
        if (type === 'checkpoint') this.openCheckpoints.push(id);
        this.onRequest(type);
      }
    });
  }

  private attempt(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.onProblem(error);
    }
  }
}
