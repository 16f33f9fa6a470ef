/** @file What can be asked of an evaluation in its state, as buttons that keep their places. */
import type { EvaluationState } from '../../src/shared/pages.ts';
import { createButton } from '../controls/toolkit.ts';
import { h, setShown, type View } from '../dom/element.ts';
import { allowedActions, openActions } from '../run/openActions.ts';

export interface EvaluationControlEvents {
  onControl: (action: 'pause' | 'resume' | 'stop') => void;
  onReport: () => void;
  onBrowse: () => void;
  onReveal: () => void;
}

export function createEvaluationControls(events: EvaluationControlEvents): View<EvaluationState> {
  let turn: 'pause' | 'resume' = 'pause';
  const pause = createButton({ label: 'Pause', onClick: () => events.onControl(turn) });
  const stop = createButton({ label: 'Stop', onClick: () => events.onControl('stop') });
  const report = createButton({ label: 'Open report', appearance: 'primary', onClick: events.onReport });
  const browse = createButton({ label: 'Open in browser', onClick: events.onBrowse });
  const reveal = createButton({ label: 'Reveal folder', onClick: events.onReveal });
  const steering = h('div', { class: 'buttons' }, pause.element, stop.element);
  return {
    element: h(
      'div',
      { class: 'run-controls' },
      steering,
      h('div', { class: 'buttons' }, report.element, browse.element, reveal.element),
    ),
    update({ state, pendingControl: pending, hasReport }) {
      const open = openActions(state, pending);
      turn = allowedActions[state].includes('resume') || pending === 'resume' ? 'resume' : 'pause';
      pause.setLabel(turn === 'resume' ? 'Resume' : 'Pause');
      pause.setDisabled(!open.includes(turn));
      stop.setDisabled(!open.includes('stop'));
      setShown(steering, state !== 'finished');
      report.setDisabled(!hasReport);
      browse.setDisabled(!hasReport);
    },
  };
}
