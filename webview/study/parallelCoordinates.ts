/** @file Trials as lines across one axis a setting, the result's last: what good trials have in common shows as a bundle. */

import type { Distribution } from '../../src/shared/searchRecord.ts';
import { labelSearched } from '../../src/shared/searchRecord.ts';
import type { ShownTrial } from '../../src/shared/studySnapshot.ts';
import { createRebuilder, h, type View } from '../dom/element.ts';
import { formatFigure } from '../format/formatNumber.ts';
import { describeValue, metricLabel, placeOf, type ShownStudy, spaceOf, trialsOf } from './shownStudy.ts';
import { svg } from './svg.ts';

const size = { width: 960, height: 250, left: 70, right: 80, top: 58, bottom: 34 };
const longestLabel = 22;

interface Axis {
  readonly label: string;
  readonly low: string;
  readonly high: string;
  place(trial: ShownTrial): number | undefined;
}

export function createParallelCoordinates(onSelect: (trial: number) => void): View<ShownStudy> {
  const place = h('div', { class: 'coordinates' });
  const rebuild = createRebuilder<ShownStudy>(place, state => {
    const axes = listAxes(state);
    const trials = trialsOf(state).filter(({ state: s }) => s === 'complete' || s === 'pruned' || s === 'running');
    if (axes.length < 2 || trials.length === 0) {
      return [h('p', { class: 'muted' }, 'Trials appear here as lines, one axis for each setting.')];
    }
    return [draw(axes, trials, state, onSelect)];
  });
  return {
    element: h('section', { class: 'study-section' }, h('h2', {}, 'Settings of all trials'), place),
    update: rebuild,
  };
}

function listAxes(state: ShownStudy): Axis[] {
  const settings = spaceOf(state).map(({ name, distribution }): Axis => {
    const ends =
      distribution.kind === 'choice'
        ? [distribution.choices[0]!, distribution.choices.at(-1)!]
        : [formatEnd(distribution, distribution.low), formatEnd(distribution, distribution.high)];
    return {
      label: labelSearched(name),
      low: ends[0]!,
      high: ends[1]!,
      place: ({ settings }) => placeOf(distribution, settings[name]),
    };
  });
  const values = trialsOf(state).flatMap(({ value }) => (value === null ? [] : [value]));
  if (values.length === 0) return settings;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const result: Axis = {
    label: metricLabel(state),
    low: formatFigure(low),
    high: high === low ? '' : formatFigure(high),
    place: ({ value }) => (value === null ? undefined : high === low ? 0.5 : (value - low) / (high - low)),
  };
  return [...settings, result];
}

const formatEnd = ({ kind }: Distribution, value: number): string =>
  kind === 'integer' ? String(value) : formatFigure(value);

function draw(
  axes: readonly Axis[],
  trials: readonly ShownTrial[],
  { study, selected }: ShownStudy,
  onSelect: (trial: number) => void,
): SVGElement {
  const { width, height, left, right, top, bottom } = size;
  const x = (axis: number) => left + (axis / Math.max(1, axes.length - 1)) * (width - left - right);
  const y = (share: number) => height - bottom - share * (height - top - bottom);
  const chart = svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': 'Settings of all trials' });
  // The best and the chosen one lie above the others.
  const weight = ({ number }: ShownTrial) => (number === selected ? 2 : number === study?.best ? 1 : 0);
  for (const trial of [...trials].sort((a, b) => weight(a) - weight(b))) {
    const points = axes.flatMap((axis, i) => {
      const share = axis.place(trial);
      return share === undefined ? [] : [`${x(i).toFixed(1)},${y(share).toFixed(1)}`];
    });
    const isBest = trial.number === study?.best;
    const kind = trial.number === selected ? 'selected' : isBest ? 'best' : trial.state;
    const line = svg('polyline', {
      points: points.join(' '),
      class: `trial-line trial-${kind}`,
      'data-trial': String(trial.number),
    });
    line.append(svg('title', {}, `Trial ${trial.number}: ${describeValue(trial)}`));
    line.addEventListener('click', () => onSelect(trial.number));
    chart.append(line);
  }
  for (const [i, axis] of axes.entries()) {
    const at = x(i).toFixed(1);
    const name = axis.label.length > longestLabel ? `${axis.label.slice(0, longestLabel - 1)}…` : axis.label;
    const label = svg('text', { x: at, y: i % 2 === 0 || axes.length < 7 ? '14' : '30', class: 'axis-label' }, name);
    label.append(svg('title', {}, axis.label));
    chart.append(
      svg('line', { x1: at, x2: at, y1: String(top), y2: String(height - bottom), class: 'axis-line' }),
      label,
      svg('text', { x: at, y: String(height - bottom + 14), class: 'axis-end' }, shorten(axis.low)),
      svg('text', { x: at, y: String(top - 4), class: 'axis-end' }, shorten(axis.high)),
    );
  }
  return chart;
}

const shorten = (text: string): string => (text.length > 14 ? `${text.slice(0, 13)}…` : text);
