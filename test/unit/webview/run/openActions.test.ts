import { describe, expect, it } from 'vitest';
import { isResumable, type ShownState } from '../../../../src/shared/runState.ts';
import { allowedActions, openActions } from '../../../../webview/run/openActions.ts';

const states = Object.keys(allowedActions) as ShownState[];

describe('openActions', () => {
  it('offers to resume exactly what can be resumed', () => {
    for (const state of states) expect(openActions(state, null).includes('resume'), state).toBe(isResumable(state));
  });

  it('lets a running run be paused, saved and stopped', () => {
    expect(openActions('running', null)).toEqual(['pause', 'checkpoint', 'stop']);
  });

  it('leaves only the stop open while something else is pending', () => {
    expect(openActions('running', 'pause')).toEqual(['stop']);
    expect(openActions('running', 'checkpoint')).toEqual(['stop']);
    expect(openActions('paused', 'resume')).toEqual([]);
  });

  it('offers nothing while a stop is pending', () => {
    for (const state of states) expect(openActions(state, 'stop'), state).toEqual([]);
  });
});
