/** @file The values at the cursor, in a small box beside it. What it says stands in the legend too, which a screen reader reads. */
import type uPlot from 'uplot';
import { h, setShown, setText } from '../dom/element.ts';
import { type LegendEntry, readAt } from './chartLegend.ts';

const distancePx = 14;

export interface ChartTooltip {
  /** Over this plot from now on. */
  attach(plot: uPlot): void;
  /** Shows the values of a column; null hides it. */
  show(plot: uPlot, index: number | null): void;
}

export function createTooltip(entries: readonly LegendEntry[]): ChartTooltip {
  const step = h('p', { class: 'muted figures' });
  const values = entries.map(() => h('span', { class: 'legend-value figures' }));
  const element = h(
    'div',
    { class: 'chart-tooltip', hidden: true, aria: { hidden: 'true' } },
    step,
    ...entries.map((entry, i) =>
      h(
        'p',
        { class: 'tooltip-entry' },
        h('span', { class: `swatch swatch-${entry.swatch} swatch-${entry.key}` }),
        h('span', {}, entry.label),
        values[i]!,
      ),
    ),
  );
  return {
    attach: plot => plot.over.append(element),
    show(plot, index) {
      const { left = -1, top = -1 } = plot.cursor;
      setShown(element, index !== null && left >= 0);
      if (index === null || left < 0) return;
      const [steps, ...columns] = plot.data as [number[], ...(number | null)[][]];
      const reading = readAt(entries, steps, columns, index);
      setText(step, reading.step);
      for (const [i, text] of reading.values.entries()) setText(values[i]!, text);
      // Beside the cursor, on the side that has room; never over the edge.
      const { width, height } = plot.over.getBoundingClientRect();
      const isRight = left + distancePx + element.offsetWidth <= width;
      const x = isRight ? left + distancePx : left - distancePx - element.offsetWidth;
      const y = Math.min(top + distancePx, height - element.offsetHeight);
      element.style.left = `${Math.max(0, x)}px`;
      element.style.top = `${Math.max(0, y)}px`;
    },
  };
}
