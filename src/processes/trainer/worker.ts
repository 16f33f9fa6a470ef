/** The computing thread of a trainer: runs one job and says what happens. Blocks while the engine computes. */
import { homedir } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { evaluateJob } from '../../core/jobs/evaluate/evaluateJob.ts';
import type { JobEnd, JobEvent } from '../../core/jobs/jobEvents.ts';
import { pipelineJob } from '../../core/jobs/pipeline/pipelineJob.ts';
import { searchJob } from '../../core/jobs/search/searchJob.ts';
import { trainJob } from '../../core/jobs/train/trainJob.ts';
import { readStoredRequest } from '../../core/runs/runFiles.ts';
import { toWireError } from '../../shared/errors.ts';
import { kindOf } from '../../shared/storedRecord.ts';
import { weightCacheBudget, weightCacheFolder } from '../../shared/userCache.ts';
import { ChildTrainers } from './childTrainers.ts';
import { openOptunaStudy } from './optunaStudy.ts';
import { readControl, type WorkerInput, type WorkerMessage } from './workerProtocol.ts';

const {
  run,
  attempt,
  identity,
  control: buffer,
  hub,
  endpointKeys,
  trackers,
  tinyFolder,
  python,
} = workerData as WorkerInput;
const send = (message: WorkerMessage) => parentPort!.postMessage(message);
const control = readControl(buffer);

/** Of the run's kind. */
function createJob(): AsyncGenerator<JobEvent, JobEnd> {
  const common = { run, control, hub, tinyFolder, python, now: () => performance.now() };
  const kind = kindOf(readStoredRequest(run));
  if (kind === 'train') {
    const place = { platform: process.platform, home: homedir(), env: process.env };
    const weightCache = { folder: weightCacheFolder(place), budgetBytes: weightCacheBudget(place) };
    return trainJob({ ...common, attempt, weightCache });
  }
  if (kind === 'evaluate') return evaluateJob(common);
  const log = (text: string) => send({ type: 'event', event: { kind: 'note', text } });
  const children = new ChildTrainers({ run, identity, hub, trackers, control, log });
  switch (kind) {
    case 'pipeline':
      return pipelineJob({ ...common, children, endpointKeys });
    case 'search':
      return searchJob({ ...common, children, openStudy: openOptunaStudy });
  }
}

try {
  const job = createJob();
  for (;;) {
    const next = await job.next();
    if (next.done === true) {
      send({ type: 'end', end: next.value });
      break;
    }
    send({ type: 'event', event: next.value });
  }
} catch (error) {
  send({ type: 'failed', error: toWireError(error), stack: error instanceof Error ? (error.stack ?? '') : '' });
}
