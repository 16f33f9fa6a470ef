/** @file What matters for an objective beside its loss: the rewards of preference tuning, the two parts of a distillation. */
import type { Measures, StepRow } from '../../src/shared/runFolder.ts';
import { h } from '../dom/element.ts';
import { formatFigure, formatTick } from '../format/formatNumber.ts';
import { createLegend, type LegendEntry } from './chartLegend.ts';
import type { ChartColours } from './chartTheme.ts';
import { createTooltip } from './chartTooltip.ts';
import { type DrawOptions, drawMeasureSeries, type MeasureSeries, type StepRange } from './drawnSeries.ts';
import { createLineChart } from './lineChart.ts';

export type MeasuredObjective = 'dpo' | 'distill';

interface MeasureLine {
  name: keyof Measures;
  label: string;
  colour: keyof ChartColours;
  scale: 'left' | 'right';
}

const formatShare = (value: number): string => `${Math.round(100 * value)} %`;

const described: Record<
  MeasuredObjective,
  { title: string; lines: readonly MeasureLine[]; formatRight: (value: number) => string }
> = {
  dpo: {
    title: 'Rewards by step',
    lines: [
      { name: 'rewardChosen', label: 'Reward of chosen', colour: 'smoothed', scale: 'left' },
      { name: 'rewardRejected', label: 'Reward of rejected', colour: 'heldOut', scale: 'left' },
      { name: 'rewardMargin', label: 'Margin', colour: 'raw', scale: 'left' },
      { name: 'rewardAccuracy', label: 'Chosen preferred', colour: 'best', scale: 'right' },
    ],
    formatRight: formatShare,
  },
  distill: {
    title: 'Parts of the loss by step',
    lines: [
      { name: 'crossEntropyNats', label: 'Loss on the answers', colour: 'smoothed', scale: 'left' },
      { name: 'divergenceNats', label: 'Divergence from the teacher', colour: 'heldOut', scale: 'right' },
    ],
    formatRight: formatFigure,
  },
};

export interface MeasureChart {
  readonly element: HTMLElement;
  draw(steps: readonly StepRow[], options: DrawOptions, span: StepRange): MeasureSeries;
  recolour(): void;
}

export function createMeasureChart(
  objective: MeasuredObjective,
  events: { onZoom: (range: StepRange | null) => void; onResize: () => void },
): MeasureChart {
  const { title, lines, formatRight } = described[objective];
  const entries = lines.map(
    ({ label, colour, scale }): LegendEntry => ({
      key: colour,
      label,
      swatch: 'line',
      format: scale === 'right' ? formatRight : formatFigure,
    }),
  );
  const legend = createLegend(entries);
  let drawn: MeasureSeries = { step: [], columns: [] };
  const show = (index: number | null) => legend.show(drawn.step, drawn.columns, index);
  const chart = createLineChart(
    {
      label: title,
      heightPx: 180,
      group: 'run',
      lines: lines.map(({ label, colour, scale }) => ({ label, colour, scale, width: 1.5 })),
      axes: [
        { scale: 'left', side: 'left', format: formatTick },
        { scale: 'right', side: 'right', format: formatRight },
      ],
      onZoom: events.onZoom,
      onCursor: show,
      tooltip: createTooltip(entries),
    },
    events.onResize,
  );
  return {
    element: h('div', { class: 'measure-chart', data: { objective } }, legend.element, chart.element),
    draw(steps, options, span) {
      drawn = drawMeasureSeries(
        steps,
        lines.map(({ name }) => name),
        options,
      );
      chart.draw([drawn.step, ...drawn.columns], span);
      show(null);
      return drawn;
    },
    recolour: () => chart.recolour(),
  };
}
