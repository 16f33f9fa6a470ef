/** @file What can be asked of an evaluation in its state, as buttons that keep their places. */
import type { EvaluationState } from '../../src/shared/pages.ts';
import { createButton } from '../controls/toolkit.ts';
import { h, type View } from '../dom/element.ts';
import { createSteering, type SteeringAction } from '../run/steering.ts';

export interface EvaluationControlEvents {
  onControl: (action: SteeringAction) => void;
  onReport: () => void;
  onBrowse: () => void;
  onReveal: () => void;
}

export function createEvaluationControls(events: EvaluationControlEvents): View<EvaluationState> {
  const steering = createSteering(events.onControl);
  const report = createButton({ label: 'Open report', appearance: 'primary', onClick: events.onReport });
  const browse = createButton({ label: 'Open in browser', onClick: events.onBrowse });
  const reveal = createButton({ label: 'Reveal folder', onClick: events.onReveal });
  return {
    element: h(
      'div',
      { class: 'run-controls' },
      steering.element,
      h('div', { class: 'buttons' }, report.element, browse.element, reveal.element),
    ),
    update(state) {
      steering.update(state);
      report.setDisabled(!state.hasReport);
      browse.setDisabled(!state.hasReport);
    },
  };
}
