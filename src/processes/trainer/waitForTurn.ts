/** @file An attached run whose device is taken: waits in the queue until its turn comes or somebody no longer wants it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { closeControlRequests, takeControlRequests } from '../../core/runs/controlFolder.ts';
import type { DeviceQueue } from '../../core/runs/deviceQueue.ts';
import { writeStatus } from '../../core/runs/runFiles.ts';
import type { JsonLine } from '../../shared/commandLine.ts';
import type { ProcessIdentity, RunStatus } from '../../shared/runFolder.ts';

const pollMs = 300;

export interface WaitingRun {
  readonly run: string;
  readonly identity: ProcessIdentity;
  readonly status: RunStatus;
  readonly queue: DeviceQueue;
  /** Signals and the parent's end speak through this. */
  readonly outside: { ask: (what: 'pause' | 'stop') => void };
  readonly sendLine: (line: JsonLine) => void;
  readonly startNext: (run: string | undefined) => Promise<void>;
}

/** True when the device is ours; false when the run was stopped before that. */
export async function waitForTurn(waiting: WaitingRun): Promise<boolean> {
  const { run, identity, status, queue, outside, sendLine, startNext } = waiting;
  let isUnwanted = !process.connected;
  outside.ask = () => {
    isUnwanted = true;
  };
  let toldAhead = -1;
  for (;;) {
    if (takeControlRequests(run).some(request => request.type !== 'checkpoint')) isUnwanted = true;
    if (isUnwanted) {
      writeStatus(run, { ...status, state: 'stopped', identity: null }, true);
      closeControlRequests(run, { ok: true });
      return false;
    }
    const answer = await queue.enter(run, identity, true);
    await startNext(answer.startNext);
    if (answer.isTurn) return true;
    if (answer.ahead !== toldAhead) sendLine({ type: 'progress', phase: 'queued', done: 0, total: answer.ahead });
    toldAhead = answer.ahead;
    await sleep(pollMs);
  }
}
