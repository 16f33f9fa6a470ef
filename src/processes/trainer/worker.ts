/** The computing thread of a trainer: runs one job and says what happens. Blocks while the engine computes. */
import { homedir } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { trainJob } from '../../core/jobs/train/trainJob.ts';
import { toWireError } from '../../shared/errors.ts';
import { weightCacheBudget, weightCacheFolder } from '../../shared/userCache.ts';
import { readControl, type WorkerInput, type WorkerMessage } from './workerProtocol.ts';

const { run, attempt, control, hub, tinyFolder } = workerData as WorkerInput;
const send = (message: WorkerMessage) => parentPort!.postMessage(message);

try {
  const place = { platform: process.platform, home: homedir(), env: process.env };
  const weightCache = { folder: weightCacheFolder(place), budgetBytes: weightCacheBudget(place) };
  const now = () => performance.now();
  const job = trainJob({ run, attempt, control: readControl(control), hub, tinyFolder, weightCache, now });
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
