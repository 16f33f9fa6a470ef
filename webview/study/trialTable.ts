/** @file Every trial with its result and settings; a click picks it out in the drawings, its run opens in a panel of its own. */
import { labelSearched } from '../../src/shared/searchRecord.ts';
import type { ShownTrial } from '../../src/shared/studySnapshot.ts';
import { createRebuilder, h, type View } from '../dom/element.ts';
import { describeValue, metricLabel, type ShownStudy, spaceOf, trialStateLabels, trialsOf } from './shownStudy.ts';

export interface TrialTableEvents {
  onSelect: (trial: number) => void;
  /** The id of its run. */
  onOpen: (run: string) => void;
}

export function createTrialTable(events: TrialTableEvents): View<ShownStudy> {
  const place = h('div', { class: 'trial-table' });
  const rebuild = createRebuilder<ShownStudy>(place, state => {
    const trials = trialsOf(state);
    if (trials.length === 0)
      return [h('p', { class: 'muted' }, 'The first trial begins when data and model have been read.')];
    const names = spaceOf(state).map(({ name }) => name);
    const head = ['Trial', 'Run', 'State', metricLabel(state), ...names.map(labelSearched)];
    return [
      h(
        'table',
        {},
        h('thead', {}, h('tr', {}, ...head.map(text => h('th', {}, text)))),
        h('tbody', {}, ...trials.map(trial => drawRow(trial, names, state, events))),
      ),
    ];
  });
  return {
    element: h('section', { class: 'study-section' }, h('h2', {}, 'Trials'), place),
    update: rebuild,
  };
}

function drawRow(
  trial: ShownTrial,
  names: readonly string[],
  { study, selected }: ShownStudy,
  { onSelect, onOpen }: TrialTableEvents,
): HTMLElement {
  const { number, run, settings } = trial;
  const pick = h('button', { class: 'link', onClick: () => onSelect(number) }, String(number));
  pick.setAttribute('aria-pressed', String(number === selected));
  pick.setAttribute('aria-label', `Pick out trial ${number}`);
  const open = run === null ? null : h('button', { class: 'link', onClick: () => onOpen(run) }, 'Open');
  open?.setAttribute('aria-label', `Open the run of trial ${number}`);
  const isBest = number === study?.best;
  return h(
    'tr',
    { class: [number === selected ? 'is-selected' : '', isBest ? 'is-best' : ''].join(' ').trim() },
    h('td', { class: 'figures' }, pick),
    h('td', {}, open),
    h('td', {}, `${trialStateLabels[trial.state]}${isBest ? ' · best' : ''}`),
    h('td', { class: 'figures' }, describeValue(trial)),
    ...names.map(name => h('td', { class: 'figures setting-cell', title: settings[name] ?? '' }, settings[name] ?? '')),
  );
}
