/** @file Where the run is reported: a line a tracker, with how far it is; trouble there is said calmly, it is none of the run's. */
import type { RunState, TrackerLine } from '../../src/shared/pages.ts';
import { type TrackerKind, trackerLabels } from '../../src/shared/trackers.ts';
import { createButton } from '../controls/toolkit.ts';
import { createRebuilder, h, setShown, type View } from '../dom/element.ts';
import { formatCount } from '../format/formatNumber.ts';

export type TrackerAction = 'open' | 'catchUp' | 'sync';

export function createTrackerLines(onAct: (kind: TrackerKind, action: TrackerAction) => void): View<RunState> {
  const list = h('ul', { class: 'tracker-lines' });
  const element = h('section', { class: 'trackers', aria: { label: 'Reported to' } }, list);
  const rebuild = createRebuilder<{ trackers: TrackerLine[]; reached: number }>(list, ({ trackers, reached }) =>
    trackers.map(line => drawLine(line, reached, onAct)),
  );
  return {
    element,
    update({ trackers, status }) {
      setShown(element, trackers.length > 0);
      rebuild({ trackers, reached: status?.step ?? 0 });
    },
  };
}

function drawLine(
  line: TrackerLine,
  reached: number,
  onAct: (kind: TrackerKind, action: TrackerAction) => void,
): HTMLElement {
  const { kind, hasLink, canSync, error, remarks } = line;
  const actions: [TrackerAction, string][] = [
    ...(hasLink ? [['open', 'Open'] as [TrackerAction, string]] : []),
    ...(canSync ? [['sync', 'Upload…'] as [TrackerAction, string]] : []),
    ...(canCatchUp(line) ? [['catchUp', 'Catch up'] as [TrackerAction, string]] : []),
  ];
  const notes = [...(error === null ? [] : [error.message, error.hint ?? '']), ...remarks].filter(note => note !== '');
  return h(
    'li',
    { class: 'tracker-line', data: { state: canCatchUp(line) ? 'waiting' : line.state } },
    h(
      'div',
      { class: 'tracker-head' },
      h('span', { class: 'state-dot' }),
      h('span', { class: 'tracker-name' }, trackerLabels[kind]),
      h('span', { class: 'muted figures' }, describeTracker(line, reached)),
      ...actions.map(([action, label]) => createButton({ label, onClick: () => onAct(kind, action) }).element),
    ),
    ...notes.map(note => h('p', { class: 'muted tracker-note' }, note)),
  );
}

/** Nobody is at it although something is left to tell. */
function canCatchUp({ state, isDelivering }: TrackerLine): boolean {
  return !isDelivering && state !== 'caughtUp' && state !== 'refused';
}

/** `up to date, step 120` */
export function describeTracker({ state, isDelivering, step, retryAt }: TrackerLine, reached: number): string {
  const place = step === null || step === 0 ? '' : `, step ${formatCount(step)}`;
  switch (state) {
    case 'notBegun':
      return 'not begun';
    case 'refused':
      return 'not reported';
    case 'caughtUp':
      return `up to date${place}`;
    case 'waiting':
      return isDelivering && retryAt !== null
        ? `waiting${place}, tries again at ${new Date(retryAt).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })}`
        : `behind${place} of ${formatCount(reached)}`;
    case 'reporting':
      return isDelivering ? `reporting${place}` : `behind${place} of ${formatCount(reached)}`;
  }
}
