/** @file A request or a run at rest -> a trainer that works on it. */
import type { StoredRequest } from '../shared/storedRecord.ts';
import type { TrackerKind, TrackerOrders } from '../shared/trackers.ts';
import type { TrainerCommand } from '../shared/trainerProtocol.ts';
import { readEndpointKeys } from './endpointKeys.ts';
import { readHubSettings } from './hubToken.ts';
import { requireEngine } from './processes/platformSupport.ts';
import { type AcceptedRun, spawnTrainer } from './processes/spawnTrainer.ts';
import type { RunReader } from './runs/runReader.ts';
import type { Services } from './services.ts';
import { readSettings } from './settings.ts';
import { findStoreFor } from './storePlaces.ts';
import { readTrackerKeys } from './trackers/trackerKeys.ts';
import { findTargets } from './trackers/trackerTargets.ts';
import { requireTrust } from './trust.ts';

type Starter = Pick<Services, 'context' | 'children' | 'log'>;

/** @throws TuneError as the gate here or the trainer refused it */
export async function startRun(
  services: Starter,
  request: StoredRequest,
  trackers: readonly TrackerKind[] = [],
): Promise<AcceptedRun> {
  const store = findStoreFor(services.context, placeOf(request));
  const hub = await readHubSettings(services.context.secrets);
  return await spawn(services, {
    type: 'start',
    store,
    request,
    attached: false,
    hub,
    endpointKeys: await readEndpointKeys(services.context.secrets),
    trackers: await orderTrackers(services, trackers),
  });
}

/** @throws TuneError as the gate here or the trainer refused it */
export async function resumeRun(services: Starter, run: RunReader): Promise<AcceptedRun> {
  const hub = await readHubSettings(services.context.secrets);
  return await spawn(services, {
    type: 'resume',
    run: run.path,
    attached: false,
    hub,
    endpointKeys: await readEndpointKeys(services.context.secrets),
    trackers: await orderTrackers(services, []),
  });
}

/** Where a run is reported, with the keys for these servers. */
async function orderTrackers({ context }: Starter, kinds: readonly TrackerKind[]): Promise<TrackerOrders> {
  const settings = readSettings();
  return {
    targets: findTargets(kinds, settings),
    keys: await readTrackerKeys(context.secrets),
    python: settings.pythonPath || null,
  };
}

/** Takes a queued run out of the queue. @throws TuneError `run-busy` when its turn has come */
export async function leaveQueue(services: Starter, run: RunReader): Promise<void> {
  await spawnTrainer(await services.children.prepare('trainer'), { type: 'leave', run: run.path });
}

async function spawn(services: Starter, order: TrainerCommand): Promise<AcceptedRun> {
  requireTrust();
  requireEngine();
  const accepted = await spawnTrainer(await services.children.prepare('trainer'), order);
  services.log.info(`trainer accepted ${accepted.id}${accepted.queued ? ' (queued)' : ''}`);
  return accepted;
}

/** The file beside whose workspace folder's runs this one belongs. */
function placeOf(request: StoredRequest): string {
  switch (request.kind) {
    case 'pipeline':
      return request.file;
    case 'evaluate':
      return request.rows.kind === 'run' ? request.rows.run : request.rows.path;
    case 'search':
      return request.base.datasets[0]!.path;
    default:
      return request.datasets[0]!.path;
  }
}
