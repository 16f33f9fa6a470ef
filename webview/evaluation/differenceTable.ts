/** @file Two candidates beside each other, metric by metric: by how much they differ, how sure that is, and on how many rows who is better. */
import type { EvaluationResult } from '../../src/shared/evaluationFiles.ts';
import { formatMetricDifference, metricTable } from '../../src/shared/metricTable.ts';
import type { EvaluationState } from '../../src/shared/pages.ts';
import { createRebuilder, h, setShown, type View } from '../dom/element.ts';

const sureP = 0.05;

export function createDifferenceTable(): View<EvaluationState> {
  const place = h('div', { class: 'wide-table', role: 'region', aria: { label: 'Differences' } });
  place.tabIndex = 0;
  const title = h('h2');
  const rebuild = createRebuilder<{ result: EvaluationResult; candidate: string; opponent: string }>(
    place,
    ({ result, candidate, opponent }) => {
      const labelOf = (id: string) => result.candidates.find(known => known.id === id)?.label ?? id;
      title.textContent = `${labelOf(candidate)} beside ${labelOf(opponent)}`;
      const rows = result.metrics.flatMap(({ name, differences }) => {
        const found = differences.find(({ first, second }) => first === candidate && second === opponent);
        const turned = differences.find(({ first, second }) => first === opponent && second === candidate);
        const d = found ?? turned;
        if (d === undefined || name === 'perplexity') return [];
        const sign = found === undefined ? -1 : 1;
        const [low, high] = sign === 1 ? [d.low, d.high] : [-d.high, -d.low];
        const [wins, losses] = sign === 1 ? [d.wins, d.losses] : [d.losses, d.wins];
        const isBetter = sign * d.difference > 0 === (metricTable[name].better === 'higher');
        const isSure = d.adjustedP < sureP;
        const verdict = isSure ? (isBetter ? 'better' : 'worse') : 'not sure';
        return [
          h(
            'tr',
            {},
            h('th', { title: metricTable[name].help }, metricTable[name].label),
            h('td', { class: 'figures' }, formatMetricDifference(name, sign * d.difference)),
            h(
              'td',
              { class: 'figures muted' },
              `${formatMetricDifference(name, low)} to ${formatMetricDifference(name, high)}`,
            ),
            h(
              'td',
              { data: { verdict } },
              `${verdict} (p ${d.adjustedP < 0.001 ? '< 0.001' : d.adjustedP.toFixed(3)})`,
            ),
            h('td', { class: 'figures' }, `${wins} / ${d.ties} / ${losses}`),
          ),
        ];
      });
      if (rows.length === 0) return [h('p', { class: 'muted' }, 'These two have nothing in common to compare.')];
      const head = ['Metric', 'Difference', '95 % interval', 'Sure?', 'Rows better / same / worse'];
      return [
        h('table', {}, h('thead', {}, h('tr', {}, ...head.map(text => h('th', {}, text)))), h('tbody', {}, ...rows)),
      ];
    },
  );
  const element = h(
    'section',
    { class: 'evaluation-section' },
    title,
    h(
      'p',
      { class: 'muted' },
      "Paired over the same rows; p after Holm's correction over all pairs of the metric. Choose the two below.",
    ),
    place,
  );
  return {
    element,
    update({ result, rows }) {
      const { candidate, opponent } = rows.filter;
      setShown(element, result !== null && candidate !== opponent);
      if (result !== null) rebuild({ result, candidate, opponent });
    },
  };
}
