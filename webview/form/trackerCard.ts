/** @file Where the run is to be reported: one box a tracker, folded away, with the place it goes to. */
import type { FormState } from '../../src/shared/pages.ts';
import { type TrackerKind, trackerKinds, trackerLabels } from '../../src/shared/trackers.ts';
import { createDisclosure } from '../controls/disclosure.ts';
import { createCheckbox } from '../controls/toolkit.ts';
import { createId, h, setText, type View } from '../dom/element.ts';

export function createTrackerCard(onTracker: (kind: TrackerKind, on: boolean) => void): View<FormState> {
  const lines = trackerKinds.map(kind => {
    const box = createCheckbox({ label: trackerLabels[kind], onChange: on => onTracker(kind, on) });
    const detail = h('p', { class: 'tracker-detail', id: createId('tracker') });
    box.describe([detail]);
    return { kind, box, detail, element: h('div', { class: 'tracker-choice' }, box.element, detail) };
  });
  const card = createDisclosure('Report to', { class: 'trackers' }, ...lines.map(line => line.element));
  return {
    element: card.element,
    update({ trackers }) {
      for (const { kind, box, detail } of lines) {
        const choice = trackers.find(other => other.kind === kind);
        box.checked = choice?.on ?? false;
        box.setDisabled(choice?.isReady !== true);
        setText(detail, choice?.detail ?? '');
      }
      const chosen = trackers.filter(choice => choice.on).map(choice => trackerLabels[choice.kind]);
      card.setNote(chosen.length === 0 ? 'nowhere' : chosen.join(', '));
    },
  };
}
