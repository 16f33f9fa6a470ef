/** @file What can be asked of a run, by its state and by what was asked already. */
import type { RunState } from '../../src/shared/pages.ts';
import type { ShownState } from '../../src/shared/runState.ts';

export type ControlAction = 'pause' | 'resume' | 'stop' | 'checkpoint';

/** What a run in each state can be asked. */
export const allowedActions: Record<ShownState, readonly ControlAction[]> = {
  queued: ['stop'],
  preparing: ['stop'],
  running: ['pause', 'checkpoint', 'stop'],
  pausing: ['stop'],
  paused: ['resume'],
  stopping: [],
  finished: [],
  stopped: ['resume'],
  failed: ['resume'],
  interrupted: ['resume'],
};

/** The actions open now: while one is pending nothing else can be asked, except to stop. */
export function openActions(state: ShownState, pending: RunState['pendingControl']): readonly ControlAction[] {
  if (pending === null) return allowedActions[state];
  return pending === 'stop' ? [] : allowedActions[state].filter(action => action === 'stop');
}
