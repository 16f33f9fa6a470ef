/** @file Starts the computing thread and waits for its end, whatever kind of end that is. */
import { Worker } from 'node:worker_threads';
import type { JobEnd, JobEvent } from '../../core/jobs/jobEvents.ts';
import { toWireError, type WireError } from '../../shared/errors.ts';
import type { WorkerInput, WorkerMessage } from './workerProtocol.ts';

export type ComputeOutcome = { readonly end: JobEnd } | { readonly error: WireError; readonly detail: string };

/** Resolves when the thread is gone; never rejects. */
export function runComputeThread(input: WorkerInput, onEvent: (event: JobEvent) => void): Promise<ComputeOutcome> {
  const worker = new Worker(new URL('./trainerWorker.js', import.meta.url), { workerData: input });
  let outcome: ComputeOutcome | undefined;
  worker.on('message', (message: WorkerMessage) => {
    if (message.type === 'event') onEvent(message.event);
    else if (message.type === 'end') outcome = { end: message.end };
    else outcome = { error: message.error, detail: message.stack };
  });
  worker.on('error', (error: NodeJS.ErrnoException) => {
    outcome = { error: explainCrash(error), detail: error.stack ?? '' };
  });
  return new Promise(resolve => {
    worker.on('exit', code => {
      const message = `trainer: expected the computing thread to report its end, got exit code ${code}`;
      const hint = 'Resume the run from its last checkpoint, and report this with the log of the run.';
      resolve(outcome ?? { error: { code: 'process-ended', message, hint }, detail: '' });
    });
  });
}

function explainCrash(error: NodeJS.ErrnoException): WireError {
  if (error.code !== 'ERR_WORKER_OUT_OF_MEMORY') return toWireError(error);
  return {
    code: 'memory',
    message: `trainer: expected the run to fit the JavaScript heap, got ${error.message}`,
    hint: 'Lower contextTokens or batchRows, or train on fewer rows.',
  };
}
