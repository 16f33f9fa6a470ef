/** @file What can be asked of a search in its state, as buttons that keep their places. */
import type { StudyState } from '../../src/shared/pages.ts';
import { createButton } from '../controls/toolkit.ts';
import { h, type View } from '../dom/element.ts';
import { createSteering, type SteeringAction } from '../run/steering.ts';

export interface StudyControlEvents {
  onControl: (action: SteeringAction) => void;
  onReport: () => void;
  onCompare: () => void;
  onReveal: () => void;
}

export function createStudyControls(events: StudyControlEvents): View<StudyState> {
  const steering = createSteering(events.onControl);
  const compare = createButton({ label: 'Compare the best…', appearance: 'primary', onClick: events.onCompare });
  const report = createButton({ label: 'Open report', onClick: events.onReport });
  const reveal = createButton({ label: 'Reveal folder', onClick: events.onReveal });
  return {
    element: h(
      'div',
      { class: 'run-controls' },
      steering.element,
      h('div', { class: 'buttons' }, compare.element, report.element, reveal.element),
    ),
    update(state) {
      steering.update(state);
      compare.setDisabled(!state.canCompare);
      report.setDisabled(!state.hasReport);
    },
  };
}
