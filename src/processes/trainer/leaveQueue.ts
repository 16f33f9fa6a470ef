/** @file A run that waits in the queue without a process -> out of the queue, shown as stopped. */
import { realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { DeviceQueue } from '../../core/runs/deviceQueue.ts';
import { readStatus, writeStatus } from '../../core/runs/runFiles.ts';
import { TuneError } from '../../shared/errors.ts';
import type { TrainerReply } from '../../shared/trainerProtocol.ts';

/** @throws TuneError `run-busy` when its turn has come already */
export async function leaveQueue(given: string): Promise<Extract<TrainerReply, { type: 'accepted' }>> {
  const run = realpathSync(given);
  const status = readStatus(run);
  const hasLeft = status.state === 'queued' && status.identity === null && (await new DeviceQueue('cpu').withdraw(run));
  // A run that says it is queued but stands in no queue was forgotten by all: it is stopped all the same.
  if (!hasLeft && readStatus(run).state !== 'queued') {
    throw new TuneError('run-busy', `${run}: expected a run that waits, got one that is ${readStatus(run).state}`, {
      file: run,
      hint: 'Its turn has come: stop it as a running one.',
    });
  }
  writeStatus(run, { ...status, state: 'stopped' }, true);
  return { type: 'accepted', id: basename(run), path: run, queued: false };
}
