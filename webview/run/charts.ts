/** @file The charts of a run: loss (raw, smoothed, held-out, best step), what else its objective measures and, folded away, learning rate and gradient norm. */
import type { RunState } from '../../src/shared/pages.ts';
import { createDisclosure } from '../controls/disclosure.ts';
import { createButton } from '../controls/toolkit.ts';
import { createId, h, setShown, setText, type View } from '../dom/element.ts';
import { formatFigure, formatRate, formatTick } from '../format/formatNumber.ts';
import { createLegend, type LegendEntry } from './chartLegend.ts';
import { onThemeChange } from './chartTheme.ts';
import { createTooltip } from './chartTooltip.ts';
import { drawLossSeries, drawRateSeries, type StepRange } from './drawnSeries.ts';
import { createLineChart } from './lineChart.ts';
import { markBestStep } from './markBestStep.ts';
import { createMeasureChart } from './measureChart.ts';

export interface KeptChart {
  smoothing: number;
  rateOpen: boolean;
}

type Shown = Pick<RunState, 'steps' | 'evaluations' | 'status' | 'record'>;

export function createCharts(kept: KeptChart, onKeep: (kept: KeptChart) => void): View<Shown> {
  let shown: Shown = { steps: [], evaluations: [], status: null, record: null };
  let zoom: StepRange | null = null;
  let smoothing = kept.smoothing;
  const setZoom = (range: StepRange | null) => {
    zoom = range;
    resetZoom.setDisabled(zoom === null);
    redraw();
  };
  const lossEntries: LegendEntry[] = [
    { key: 'raw', label: 'Training loss', swatch: 'line', format: formatFigure },
    { key: 'smoothed', label: 'Smoothed', swatch: 'line', format: formatFigure },
    { key: 'heldOut', label: 'Held-out loss', swatch: 'dot', format: formatFigure },
  ];
  const rateEntries: LegendEntry[] = [
    { key: 'smoothed', label: 'Learning rate', swatch: 'line', format: formatRate },
    { key: 'heldOut', label: 'Gradient norm', swatch: 'line', format: formatFigure },
  ];
  const lossLegend = createLegend(lossEntries);
  const rateLegend = createLegend(rateEntries);
  const loss = createLineChart(
    {
      label: 'Loss by step',
      heightPx: 300,
      group: 'run',
      lines: [
        { label: 'Training loss', colour: 'raw', width: 1, scale: 'y' },
        { label: 'Smoothed', colour: 'smoothed', width: 2, scale: 'y' },
        { label: 'Held-out loss', colour: 'heldOut', width: 1.5, scale: 'y', dots: true },
      ],
      axes: [{ scale: 'y', side: 'left', format: formatTick }],
      onZoom: setZoom,
      onCursor: index => showLoss(index),
      tooltip: createTooltip(lossEntries),
      overlay: (plot, colours) => markBestStep(plot, colours, shown.status?.bestStep ?? null),
    },
    () => redraw(),
  );
  const rate = createLineChart(
    {
      label: 'Learning rate and gradient norm by step',
      heightPx: 150,
      group: 'run',
      lines: [
        { label: 'Learning rate', colour: 'smoothed', width: 1.5, scale: 'rate' },
        { label: 'Gradient norm', colour: 'heldOut', width: 1, scale: 'norm' },
      ],
      axes: [
        { scale: 'rate', side: 'left', format: formatRate },
        { scale: 'norm', side: 'right', format: formatTick },
      ],
      onZoom: setZoom,
      onCursor: index => showRate(index),
      tooltip: createTooltip(rateEntries),
    },
    () => redraw(),
  );
  const events = { onZoom: setZoom, onResize: () => redraw() };
  const measureCharts = { dpo: createMeasureChart('dpo', events), distill: createMeasureChart('distill', events) };
  const showLoss = (index: number | null) => {
    const series = window.__tuningForkChart?.loss;
    if (series) lossLegend.show(series.step, [series.raw, series.smoothed, series.heldOut], index);
  };
  const showRate = (index: number | null) => {
    const series = window.__tuningForkChart?.rate;
    if (series) rateLegend.show(series.step, [series.learningRate, series.gradNorm], index);
  };
  const redraw = () => {
    const buckets = Math.max(100, loss.width());
    const options = { range: zoom, smoothing, buckets };
    const drawn = {
      loss: drawLossSeries(shown.steps, shown.evaluations, options),
      rate: drawRateSeries(shown.steps, options),
    };
    const first = drawn.loss.step[0] ?? 0;
    const span = zoom ?? { min: first, max: Math.max(first + 1, drawn.loss.step.at(-1) ?? 0) };
    const objective = shown.record?.objective ?? 'sft';
    const measures = objective === 'sft' ? null : measureCharts[objective].draw(shown.steps, options, span);
    window.__tuningForkChart = { ...drawn, measures };
    loss.draw([drawn.loss.step, drawn.loss.raw, drawn.loss.smoothed, drawn.loss.heldOut], span);
    rate.draw([drawn.rate.step, drawn.rate.learningRate, drawn.rate.gradNorm], span);
    showLoss(loss.cursor());
    showRate(rate.cursor());
  };
  const smoothingControl = createSmoothingSlider(smoothing, weight => {
    smoothing = weight;
    keep();
    redraw();
  });
  const resetZoom = createButton({ label: 'Reset zoom', onClick: () => setZoom(null) });
  resetZoom.setDisabled(true);
  const folded = createDisclosure(
    'Learning rate and gradient norm',
    { open: kept.rateOpen, onToggle: () => keep() },
    rateLegend.element,
    rate.element,
  );
  const keep = () => onKeep({ smoothing, rateOpen: folded.element.open });
  onThemeChange(() => {
    for (const chart of Object.values(measureCharts)) chart.recolour();
    loss.recolour();
    rate.recolour();
  });

  const waiting = h('p', { class: 'chart-waiting muted' });
  const plot = h('div', { class: 'chart-frame' }, loss.element, waiting);
  return {
    element: h(
      'section',
      { class: 'charts', aria: { label: 'Charts' } },
      h(
        'div',
        { class: 'chart-bar' },
        lossLegend.element,
        h('div', { class: 'chart-tools' }, smoothingControl, resetZoom.element),
      ),
      plot,
      measureCharts.dpo.element,
      measureCharts.distill.element,
      folded.element,
    ),
    update(state) {
      shown = state;
      for (const [objective, { element }] of Object.entries(measureCharts)) {
        setShown(element, state.record?.objective === objective);
      }
      setText(
        waiting,
        state.steps.length + state.evaluations.length === 0 ? 'The curves appear with the first step.' : '',
      );
      redraw();
    },
  };
}

function createSmoothingSlider(initial: number, onWeight: (weight: number) => void): HTMLElement {
  const id = createId('smoothing');
  const input = h('input', { id });
  input.type = 'range';
  input.min = '0';
  input.max = '0.99';
  input.step = '0.01';
  input.value = String(initial);
  const value = h('output', { class: 'figures' }, initial.toFixed(2));
  input.addEventListener('input', () => {
    setText(value, Number(input.value).toFixed(2));
    onWeight(Number(input.value));
  });
  const label = h('label', { class: 'muted' }, 'Smoothing');
  label.htmlFor = id;
  return h('div', { class: 'smoothing' }, label, input, value);
}
