/** @file Candidates x metrics: each figure with its interval, the best of a metric marked. */
import type { EvaluationResult, MeasuredMetric } from '../../src/shared/evaluationFiles.ts';
import { formatMetric, metricTable } from '../../src/shared/metricTable.ts';
import type { EvaluationState } from '../../src/shared/pages.ts';
import { createRebuilder, h, type View } from '../dom/element.ts';

export function createFigureTable(): View<EvaluationState> {
  const place = h('div', { class: 'wide-table', role: 'region', aria: { label: 'Figures' } });
  place.tabIndex = 0;
  const rebuild = createRebuilder<{ result: EvaluationResult | null; isOver: boolean }>(place, ({ result, isOver }) => {
    if (result === null) {
      return [
        h(
          'p',
          { class: 'muted' },
          isOver ? 'It ended before anything was compared.' : 'Figures come when every candidate has answered.',
        ),
      ];
    }
    const { candidates, metrics } = result;
    const head = metrics.map(({ name }) => {
      const { label, better, help } = metricTable[name];
      return h('th', { title: help }, `${label} ${better === 'higher' ? '↑' : '↓'}`);
    });
    const rows = candidates.map(({ id, label, detail }) =>
      h(
        'tr',
        {},
        h('th', { class: 'candidate cut', title: detail === null ? label : `${label}\n${detail}` }, label),
        ...metrics.map(metric => drawFigure(metric, id)),
      ),
    );
    return [h('table', {}, h('thead', {}, h('tr', {}, h('td'), ...head)), h('tbody', {}, ...rows))];
  });
  const notes = h('ul', { class: 'muted' });
  const rebuildNotes = createRebuilder<readonly MeasuredMetric[]>(notes, metrics =>
    metrics.flatMap(({ name, note }) => (note === null ? [] : [h('li', {}, `${metricTable[name].label}: ${note}`)])),
  );
  return {
    element: h(
      'section',
      { class: 'evaluation-section' },
      h('h2', {}, 'Figures'),
      h(
        'p',
        { class: 'muted' },
        'With 95 % intervals. ↑ higher is better, ↓ lower is better; the best of each is bold.',
      ),
      place,
      notes,
    ),
    update({ result, state }) {
      rebuild({ result, isOver: state === 'finished' || state === 'failed' || state === 'stopped' });
      rebuildNotes(result?.metrics ?? []);
    },
  };
}

function drawFigure({ name, values }: MeasuredMetric, candidate: string): HTMLElement {
  const value = values.find(known => known.candidate === candidate);
  if (value === undefined) return h('td', { class: 'figures muted' }, '–');
  const sign = metricTable[name].better === 'higher' ? 1 : -1;
  const isBest = values.length > 1 && values.every(other => sign * other.value <= sign * value.value);
  return h(
    'td',
    { class: `figures${isBest ? ' is-best' : ''}`, title: `over ${value.rows} rows` },
    h('span', { class: 'figure-value' }, formatMetric(name, value.value)),
    h(
      'span',
      { class: 'figure-interval muted' },
      `${formatMetric(name, value.low)} to ${formatMetric(name, value.high)}`,
    ),
  );
}
