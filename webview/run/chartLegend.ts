/** @file What the lines are and their values at the cursor, or the latest; the figures keep their places while they change. */
import { h, setText } from '../dom/element.ts';
import { formatCount } from '../format/formatNumber.ts';
import type { ChartColours } from './chartTheme.ts';

export interface LegendEntry {
  key: keyof ChartColours;
  label: string;
  swatch: 'line' | 'dot';
  format: (value: number) => string;
}

export interface Legend {
  readonly element: HTMLElement;
  /** The values at a column; null: at the last one. A line without a value there shows its nearest earlier one. */
  show(steps: readonly number[], columns: readonly (readonly (number | null)[])[], index: number | null): void;
}

export function createLegend(entries: readonly LegendEntry[]): Legend {
  const step = h('span', { class: 'legend-step figures' });
  const values = entries.map(() => h('span', { class: 'legend-value figures' }));
  const element = h(
    'div',
    { class: 'chart-legend' },
    step,
    ...entries.map((entry, i) =>
      h(
        'span',
        { class: 'legend-entry', data: { line: entry.label } },
        h('span', { class: `swatch swatch-${entry.swatch} swatch-${entry.key}` }),
        h('span', {}, entry.label),
        values[i]!,
      ),
    ),
  );
  return {
    element,
    show(steps, columns, index) {
      const reading = readAt(entries, steps, columns, index ?? steps.length - 1);
      setText(step, reading.step);
      for (const [i, text] of reading.values.entries()) setText(values[i]!, text);
    },
  };
}

/** What stands at a column, in words: the step, and the value of each line. */
export function readAt(
  entries: readonly LegendEntry[],
  steps: readonly number[],
  columns: readonly (readonly (number | null)[])[],
  at: number,
): { step: string; values: string[] } {
  return {
    step: steps[at] === undefined ? '' : `Step ${formatCount(steps[at])}`,
    values: entries.map((entry, i) => {
      const found = lastValueAt(columns[i] ?? [], at);
      const text = found === null ? '–' : entry.format(found.value);
      // A held-out loss is measured now and then: say when, if not here.
      const isElsewhere = found !== null && entry.swatch === 'dot' && found.index !== at;
      return isElsewhere ? `${text} (step ${formatCount(steps[found.index]!)})` : text;
    }),
  };
}

function lastValueAt(column: readonly (number | null)[], index: number): { value: number; index: number } | null {
  for (let i = index; i >= 0; i--) {
    const value = column[i];
    if (value !== null && value !== undefined) return { value, index: i };
  }
  return null;
}
