/** @file A target -> its tracker, with the key that belongs to exactly this server. */
import { MlflowTracker } from '../../core/trackers/mlflowTracker.ts';
import { TensorboardTracker } from '../../core/trackers/tensorboardTracker.ts';
import type { Tracker } from '../../core/trackers/tracker.ts';
import { WandbTracker } from '../../core/trackers/wandbTracker.ts';
import { originOf, type TrackerKeys, type TrackerTarget } from '../../shared/trackers.ts';
import { startWandbProcess } from './wandbProcess.ts';

export function createTracker(
  target: TrackerTarget,
  { keys, run, python }: { keys: TrackerKeys; run: string; python: string | null },
): Tracker {
  switch (target.kind) {
    case 'tensorboard':
      return new TensorboardTracker(target.folder);
    case 'mlflow':
      return new MlflowTracker(target, findAuthorization(target.uri, keys));
    case 'wandb':
      return new WandbTracker(target, () => startWandbProcess(run, python));
  }
}

/** MLflow's own variables count for the server that they name, or for any when they name none. */
function findAuthorization(uri: string, keys: TrackerKeys): string | undefined {
  const origin = originOf(uri);
  if (keys.mlflow?.origin === origin) return `Bearer ${keys.mlflow.token}`;
  const { MLFLOW_TRACKING_URI, MLFLOW_TRACKING_TOKEN, MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD } =
    process.env;
  if (MLFLOW_TRACKING_URI !== undefined && !isOrigin(MLFLOW_TRACKING_URI, origin)) return undefined;
  if (MLFLOW_TRACKING_TOKEN) return `Bearer ${MLFLOW_TRACKING_TOKEN}`;
  if (!MLFLOW_TRACKING_USERNAME) return undefined;
  const pair = Buffer.from(`${MLFLOW_TRACKING_USERNAME}:${MLFLOW_TRACKING_PASSWORD ?? ''}`).toString('base64');
  return `Basic ${pair}`;
}

function isOrigin(uri: string, origin: string): boolean {
  return URL.canParse(uri) && originOf(uri) === origin;
}
