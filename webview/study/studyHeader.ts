/** @file The search's name, its honest state, how far it is and what it has found. */
import { formatDuration } from '../../src/shared/formatDuration.ts';
import type { StudyState } from '../../src/shared/pages.ts';
import { createMeter } from '../controls/meter.ts';
import { createRebuilder, h, setAttribute, setCutText, setShown, setText, type View } from '../dom/element.ts';
import { formatCount, formatFigure } from '../format/formatNumber.ts';
import { stateLabels } from '../run/stateLabels.ts';
import { metricLabel, trialsOf } from './shownStudy.ts';

export function createStudyHeader(): View<StudyState> {
  const name = h('h1', { class: 'cut' });
  const stateText = h('span');
  const badge = h('span', { class: 'state-badge', role: 'status' }, h('span', { class: 'state-dot' }), stateText);
  const origin = h('p', { class: 'muted cut' });
  const meter = createMeter('progressbar', 'Progress');
  const progress = h('p', { class: 'figures progress-text' });
  const tiles = h('dl', { class: 'tiles' });
  const rebuildTiles = createRebuilder<readonly Tile[]>(tiles, all => all.map(drawTile));
  const error = h('p', { class: 'error-text', role: 'alert' });
  return {
    element: h(
      'header',
      { class: 'run-header' },
      h('div', { class: 'title-line' }, name, badge),
      origin,
      h('div', { class: 'progress' }, meter.element, progress),
      error,
      tiles,
    ),
    update(state) {
      setCutText(name, state.name);
      setText(stateText, stateLabels[state.state]);
      setAttribute(badge, 'data-state', state.state);
      setCutText(origin, describeOrigin(state));
      const { value, max, text } = describeProgress(state);
      meter.update({ value, max, text, tone: 'normal' });
      setText(progress, text);
      const problem = state.error ?? state.status?.error ?? null;
      setText(error, problem === null ? '' : joinSentences([problem.message, problem.hint]));
      setShown(error, problem !== null);
      rebuildTiles(describeTiles(state));
    },
  };
}

const joinSentences = (parts: readonly (string | undefined)[]): string =>
  parts
    .filter(part => part !== undefined && part !== '')
    .map(part => (/[.!?]$/.test(part!) ? part : `${part}.`))
    .join(' ');

interface Tile {
  readonly label: string;
  readonly value: string;
  readonly note: string;
}

function drawTile({ label, value, note }: Tile): HTMLElement {
  return h(
    'div',
    { class: 'tile' },
    h('dt', {}, label),
    h(
      'dd',
      {},
      h('span', { class: 'tile-value figures' }, value),
      h('span', { class: 'tile-note muted figures', title: note }, note),
    ),
  );
}

function describeOrigin({ record, id }: StudyState): string {
  if (record === null) return id;
  const dataset = record.datasets[0]?.path.split(/[\\/]/).at(-1) ?? '';
  const { sampler, pruner } = record.settings;
  return `Search · ${record.model.id} on ${dataset} · ${sampler}, ${pruner} · ${id}`;
}

function describeProgress({ state, status, record, study }: StudyState): { value: number; max: number; text: string } {
  if (status === null) return { value: 0, max: 1, text: 'Not started yet' };
  const { phase } = status;
  if (phase !== null && (record === null || state === 'preparing')) {
    return { value: phase.done, max: phase.total, text: `${phase.name.charAt(0).toUpperCase()}${phase.name.slice(1)}` };
  }
  const done = (study?.trials ?? []).filter(trial => trial.state !== 'running' && trial.state !== 'waiting').length;
  const { trials = null, minutes = null } = record?.settings.budget ?? {};
  if (state === 'finished') return { value: 1, max: 1, text: `${formatCount(done)} trials` };
  if (minutes !== null && study !== null) {
    const spent = Math.min(minutes * 60_000, study.elapsedMs);
    return {
      value: spent,
      max: minutes * 60_000,
      text: `${formatCount(done)} trials in ${formatDuration(study.elapsedMs)}`,
    };
  }
  return {
    value: done,
    max: trials ?? Math.max(1, done),
    text: `Trial ${formatCount(done)}${trials === null ? '' : ` of ${formatCount(trials)}`}`,
  };
}

function describeTiles(state: StudyState): Tile[] {
  const { study } = state;
  const trials = trialsOf(state);
  const best = trials.find(({ number }) => number === study?.best);
  const first = trials.find(({ number }) => number === 0);
  const count = (wanted: string) => trials.filter(trial => trial.state === wanted).length;
  const winner = study?.winner ?? null;
  const change =
    first?.value == null || best?.value == null || best.number === 0
      ? ''
      : `, first trial ${formatFigure(first.value)}`;
  return [
    {
      label: `Best ${metricLabel(state).toLowerCase()}`,
      value: best?.value == null ? '–' : formatFigure(best.value),
      note: best === undefined ? '' : `trial ${best.number}${change}`,
    },
    {
      label: 'On test rows',
      value: winner?.testLossNats == null ? '–' : formatFigure(winner.testLossNats),
      note:
        winner?.baseTestLossNats == null ? 'judged at the end' : `base model ${formatFigure(winner.baseTestLossNats)}`,
    },
    { label: 'Complete', value: formatCount(count('complete')), note: '' },
    { label: 'Ended early', value: formatCount(count('pruned')), note: '' },
    { label: 'Failed', value: formatCount(count('failed')), note: '' },
    { label: 'Elapsed', value: study === null ? '–' : formatDuration(study.elapsedMs), note: '' },
  ];
}
