/** @file Two charts (uPlot): results in the order of the trials with the best so far, and every trial's held-out curve over the others. */
import uPlot from 'uplot';
import { h, setShown, setText, type View } from '../dom/element.ts';
import { formatTick } from '../format/formatNumber.ts';
import { onThemeChange, readChartColours } from '../run/chartTheme.ts';
import { metricLabel, type ShownStudy, trialsOf } from './shownStudy.ts';

const heightPx = 220;

interface Chart {
  readonly element: HTMLElement;
  draw(data: uPlot.AlignedData, series: uPlot.Series[]): void;
}

declare global {
  interface Window {
    /** What the study's charts show, for tests. */
    __tuningForkStudy?: { history: uPlot.AlignedData; curves: uPlot.AlignedData };
  }
}

export function createStudyCharts(): View<ShownStudy> {
  const history = createChart('Results by trial');
  const curves = createChart('Held-out loss by per cent of the run');
  const historyNote = h('p', { class: 'muted' });
  const curvesNote = h('p', { class: 'muted' });
  let shown: ShownStudy | null = null;
  const redraw = () => {
    if (shown === null) return;
    const [historyData, historySeries] = drawHistory(shown);
    const [curveData, curveSeries] = drawCurves(shown);
    window.__tuningForkStudy = { history: historyData, curves: curveData };
    history.draw(historyData, historySeries);
    curves.draw(curveData, curveSeries);
    setText(
      historyNote,
      historyData[0].length === 0
        ? 'Results appear when the first trial is complete.'
        : `${metricLabel(shown)} of each trial (dots), and the best so far.`,
    );
    setText(
      curvesNote,
      curveData[0].length === 0
        ? 'Curves appear with the first evaluation.'
        : 'Held-out loss over each run, in per cent of it; the best one in green.',
    );
  };
  onThemeChange(redraw);
  return {
    element: h(
      'section',
      { class: 'study-charts', aria: { label: 'Charts' } },
      h('div', {}, h('h2', {}, 'Best so far'), history.element, historyNote),
      h('div', {}, h('h2', {}, 'Curves of all trials'), curves.element, curvesNote),
    ),
    update(state) {
      shown = state;
      redraw();
    },
  };
}

function drawHistory(state: ShownStudy): [uPlot.AlignedData, uPlot.Series[]] {
  const colours = readChartColours();
  const ended = trialsOf(state).filter(({ value, state: s }) => s === 'complete' && value !== null);
  const better = state.study?.direction === 'maximize' ? Math.max : Math.min;
  let best: number | undefined;
  const bests = ended.map(({ value }) => {
    best = best === undefined ? value! : better(best, value!);
    return best;
  });
  return [
    [ended.map(({ number }) => number), ended.map(({ value }) => value), bests],
    [
      {},
      { label: 'Trial', stroke: colours.smoothed, width: 0, points: { show: true, size: 7, fill: colours.smoothed } },
      { label: 'Best so far', stroke: colours.best, width: 2, points: { show: ended.length === 1 } },
    ],
  ];
}

function drawCurves(state: ShownStudy): [uPlot.AlignedData, uPlot.Series[]] {
  const colours = readChartColours();
  const measured = trialsOf(state).filter(({ curve }) => curve.length > 0);
  const percents = [...new Set(measured.flatMap(({ curve }) => curve.map(([percent]) => percent)))].sort(
    (a, b) => a - b,
  );
  const columns = measured.map(({ curve }) => {
    const values = new Map(curve);
    return percents.map(percent => values.get(percent) ?? null);
  });
  const series = measured.map(({ number, curve }): uPlot.Series => {
    const isSelected = number === state.selected;
    const isBest = number === state.study?.best;
    return {
      label: `Trial ${number}`,
      stroke: isSelected ? colours.heldOut : isBest ? colours.best : colours.raw,
      width: isSelected || isBest ? 2.5 : 1.2,
      spanGaps: true,
      points: { show: curve.length === 1 },
    };
  });
  return [
    [percents, ...columns],
    [{}, ...series],
  ];
}

/** A single value stands in the middle of a narrow range, not of one from 0. */
const aroundValues: uPlot.Range.Function = (_, low, high) => {
  if (low === null || high === null) return [0, 1];
  const margin = low === high ? 0.05 * (Math.abs(low) || 1) : 0.1 * (high - low);
  return [low - margin, high + margin];
};

/** Made anew at each drawing: trials come and go as lines. */
function createChart(label: string): Chart {
  const place = h('div', { class: 'chart', role: 'img', aria: { label } });
  place.style.height = `${heightPx}px`;
  let plot: uPlot | null = null;
  let newest: { data: uPlot.AlignedData; series: uPlot.Series[] } | null = null;
  const draw = () => {
    plot?.destroy();
    plot = null;
    if (newest === null || newest.data[0].length === 0 || place.clientWidth === 0) return;
    const colours = readChartColours();
    const axis = { stroke: colours.text, font: colours.font, ticks: { show: false } };
    const xs = newest.data[0];
    const pad = xs.length === 1 ? 1 : 0;
    plot = new uPlot(
      {
        width: place.clientWidth,
        height: heightPx,
        legend: { show: false },
        padding: [8, 16, 0, 0],
        scales: { x: { time: false, range: [xs[0]! - pad, xs.at(-1)! + pad] }, y: { range: aroundValues } },
        cursor: { show: false },
        axes: [
          {
            ...axis,
            grid: { show: false },
            size: 28,
            values: (_, values) => values.map(v => (Number.isInteger(v) && v >= 0 ? String(v) : '')),
          },
          {
            ...axis,
            size: 58,
            grid: { stroke: colours.grid, width: 1 },
            values: (_, values, _axis, _space, increment) => values.map(value => formatTick(value, increment)),
          },
        ],
        series: newest.series,
      },
      newest.data,
      place,
    );
  };
  new ResizeObserver(draw).observe(place);
  return {
    element: place,
    draw(data, series) {
      newest = { data, series };
      setShown(place, data[0].length > 0);
      draw();
    },
  };
}
