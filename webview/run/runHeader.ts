/** @file The run's name, its honest state, how far it is and its figures. */

import { formatBytes } from '../../src/shared/formatBytes.ts';
import { formatDuration } from '../../src/shared/formatDuration.ts';
import type { RunState } from '../../src/shared/pages.ts';
import type { EvaluationRow } from '../../src/shared/runFolder.ts';
import type { ShownState } from '../../src/shared/runState.ts';
import { createMeter } from '../controls/meter.ts';
import { h, setAttribute, setCutText, setShown, setText, type View } from '../dom/element.ts';
import { formatCount, formatFigure, formatSpeed } from '../format/formatNumber.ts';
import { describeRemote } from './describeRemote.ts';
import { stateLabels } from './stateLabels.ts';

export function createRunHeader(): View<RunState> {
  const name = h('h1', { class: 'cut' });
  const stateText = h('span');
  const badge = h('span', { class: 'state-badge', role: 'status' }, h('span', { class: 'state-dot' }), stateText);
  const origin = h('p', { class: 'muted cut' });
  const remote = h('p', { class: 'muted', hidden: true });
  const meter = createMeter('progressbar', 'Progress');
  const progress = h('p', { class: 'figures progress-text' });
  const tiles = [
    createTile('Training loss'),
    createTile('Held-out loss'),
    createTile('Best held-out', 'Lowest held-out loss, and its change from the base model'),
    createTile('Speed'),
    createTile('Time left'),
    createTile('Elapsed'),
    createTile('Peak memory'),
  ] as const;
  const figures = h('dl', { class: 'tiles' }, ...tiles.map(tile => tile.element));
  return {
    element: h(
      'header',
      { class: 'run-header' },
      h('div', { class: 'title-line' }, name, badge),
      origin,
      remote,
      h('div', { class: 'progress' }, meter.element, progress),
      figures,
    ),
    update(run) {
      setCutText(name, run.name);
      setText(stateText, stateLabels[run.state]);
      setAttribute(badge, 'data-state', run.state);
      setCutText(origin, describeOrigin(run));
      const elsewhere = describeRemote(run.remote);
      setText(remote, elsewhere);
      setShown(remote, elsewhere !== '');
      const { value, max, text } = describeProgress(run);
      meter.update({ value, max, text, tone: 'normal' });
      setText(progress, text);
      for (const [i, figure] of describeFigures(run).entries()) tiles[i]!.show(figure);
      setShown(tiles[4].element, isGoingOn(run.state));
      // A pipeline has no loss of its own.
      setShown(figures, run.pipeline === null);
    },
  };
}

interface Figure {
  value: string;
  note: string;
}

function createTile(label: string, explanation = '') {
  const value = h('span', { class: 'tile-value figures' });
  const note = h('span', { class: 'tile-note muted figures' });
  return {
    element: h('div', { class: 'tile', title: explanation }, h('dt', {}, label), h('dd', {}, value, note)),
    show(figure: Figure) {
      setText(value, figure.value);
      setCutText(note, figure.note);
    },
  };
}

function isGoingOn(state: ShownState): boolean {
  return state === 'running' || state === 'preparing' || state === 'pausing' || state === 'queued';
}

function describeOrigin({ record, id, pipeline }: RunState): string {
  if (pipeline !== null) return `${pipeline.stages.length} stages · ${id}`;
  if (record === null) return id;
  const dataset = record.datasets[0]?.path.split(/[\\/]/).at(-1) ?? '';
  return `${record.model.id} on ${dataset} · ${id}`;
}

function describeProgress({ state, status, pipeline }: RunState): { value: number; max: number; text: string } {
  if (status === null) return { value: 0, max: 1, text: 'Not started yet' };
  const { phase, step, totalSteps } = status;
  if (phase !== null && state === 'preparing') {
    const amount = phase.total > 0 ? ` ${formatCount(phase.done)} of ${formatCount(phase.total)}` : '';
    return { value: phase.done, max: phase.total, text: `${capitalise(phase.name)}${amount}` };
  }
  if (totalSteps === 0) return { value: 0, max: 1, text: 'Not started yet' };
  return {
    value: step,
    max: totalSteps,
    text: `${pipeline === null ? 'Step' : 'Stages done:'} ${formatCount(step)} of ${formatCount(totalSteps)}`,
  };
}

function describeFigures({ steps, evaluations, status, remainingMs }: RunState): Figure[] {
  const last = steps.at(-1);
  const base = evaluations.find(row => row.step === 0);
  const evaluation = evaluations.at(-1);
  const best = status?.bestEvalLossNats ?? null;
  const peak = steps.reduce((most, row) => Math.max(most, row.peakRssBytes), 0);
  return [
    figure(last && formatFigure(last.lossNats), last ? `epoch ${last.epoch.toFixed(2)}` : ''),
    figure(evaluation && formatFigure(evaluation.evalLossNats), evaluation ? describeEvaluation(evaluation) : ''),
    figure(
      best === null ? undefined : formatFigure(best),
      describeBest(best, base?.evalLossNats, status?.bestStep ?? null),
    ),
    figure(last && formatSpeed(last.tokensPerSecond), last ? 'tokens/s' : ''),
    figure(remainingMs === null ? undefined : formatDuration(remainingMs), ''),
    figure(last && formatDuration(last.elapsedMs), ''),
    figure(peak > 0 ? formatBytes(peak) : undefined, ''),
  ];
}

/** Of a preference run also how often the chosen answer is preferred. */
function describeEvaluation({ step, rewardAccuracy }: EvaluationRow): string {
  const place = `step ${formatCount(step)}`;
  return rewardAccuracy === undefined ? place : `${place}, ${Math.round(100 * rewardAccuracy)} % preferred`;
}

function figure(value: string | undefined, note: string): Figure {
  return { value: value ?? '–', note };
}

function describeBest(best: number | null, base: number | undefined, step: number | null): string {
  if (best === null) return '';
  const place = step === null ? '' : `step ${formatCount(step)}`;
  if (base === undefined || base <= 0) return place;
  const change = (100 * (best - base)) / base;
  return `${place}, ${change <= 0 ? '−' : '+'}${Math.abs(change).toFixed(1)} %`;
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
