/** @file What can be asked of a search in its state, as buttons that keep their places. */
import type { StudyState } from '../../src/shared/pages.ts';
import { createButton } from '../controls/toolkit.ts';
import { h, setShown, type View } from '../dom/element.ts';
import { allowedActions, openActions } from '../run/openActions.ts';

export interface StudyControlEvents {
  onControl: (action: 'pause' | 'resume' | 'stop') => void;
  onReport: () => void;
  onCompare: () => void;
  onReveal: () => void;
}

export function createStudyControls(events: StudyControlEvents): View<StudyState> {
  let turn: 'pause' | 'resume' = 'pause';
  const pause = createButton({ label: 'Pause', onClick: () => events.onControl(turn) });
  const stop = createButton({ label: 'Stop', onClick: () => events.onControl('stop') });
  const compare = createButton({ label: 'Compare the best…', appearance: 'primary', onClick: events.onCompare });
  const report = createButton({ label: 'Open report', onClick: events.onReport });
  const reveal = createButton({ label: 'Reveal folder', onClick: events.onReveal });
  const steering = h('div', { class: 'buttons' }, pause.element, stop.element);
  return {
    element: h(
      'div',
      { class: 'run-controls' },
      steering,
      h('div', { class: 'buttons' }, compare.element, report.element, reveal.element),
    ),
    update({ state, pendingControl: pending, canCompare, hasReport }) {
      const open = openActions(state, pending);
      turn = allowedActions[state].includes('resume') || pending === 'resume' ? 'resume' : 'pause';
      pause.setLabel(turn === 'resume' ? 'Resume' : 'Pause');
      pause.setDisabled(!open.includes(turn));
      stop.setDisabled(!open.includes('stop'));
      setShown(steering, state !== 'finished');
      compare.setDisabled(!canCompare);
      report.setDisabled(!hasReport);
    },
  };
}
