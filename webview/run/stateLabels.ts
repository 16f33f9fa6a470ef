/** @file What the states of a run are called. */
import type { ShownState } from '../../src/shared/runState.ts';

export const stateLabels: Record<ShownState, string> = {
  queued: 'Queued',
  preparing: 'Preparing',
  running: 'Running',
  pausing: 'Pausing',
  paused: 'Paused',
  stopping: 'Stopping',
  finished: 'Finished',
  stopped: 'Stopped',
  failed: 'Failed',
  interrupted: 'Interrupted',
};
