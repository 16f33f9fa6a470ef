/** @file Pause, which becomes Resume, and Stop: what searches and evaluations can be asked alike. */
import type { RunState } from '../../src/shared/pages.ts';
import type { ShownState } from '../../src/shared/runState.ts';
import { createButton } from '../controls/toolkit.ts';
import { h, setShown, type View } from '../dom/element.ts';
import { allowedActions, openActions } from './openActions.ts';

export type SteeringAction = 'pause' | 'resume' | 'stop';

export function createSteering(
  onControl: (action: SteeringAction) => void,
): View<{ readonly state: ShownState; readonly pendingControl: RunState['pendingControl'] }> {
  let turn: 'pause' | 'resume' = 'pause';
  const pause = createButton({ label: 'Pause', onClick: () => onControl(turn) });
  const stop = createButton({ label: 'Stop', onClick: () => onControl('stop') });
  const element = h('div', { class: 'buttons' }, pause.element, stop.element);
  return {
    element,
    update({ state, pendingControl: pending }) {
      const open = openActions(state, pending);
      turn = allowedActions[state].includes('resume') || pending === 'resume' ? 'resume' : 'pause';
      pause.setLabel(turn === 'resume' ? 'Resume' : 'Pause');
      pause.setDisabled(!open.includes(turn));
      stop.setDisabled(!open.includes('stop'));
      setShown(element, state !== 'finished');
    },
  };
}
