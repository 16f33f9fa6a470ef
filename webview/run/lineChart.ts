/** @file A line chart over steps (uPlot): sized to its place, zoomed by dragging, read with the pointer or the arrow keys. */
import uPlot from 'uplot';
import { h } from '../dom/element.ts';
import { type ChartColours, readChartColours } from './chartTheme.ts';
import type { ChartTooltip } from './chartTooltip.ts';
import type { StepRange } from './drawnSeries.ts';

export type Columns = [steps: number[], ...lines: (number | null)[][]];

export interface Line {
  label: string;
  colour: keyof ChartColours;
  width: number;
  scale: string;
  /** Marks each value with a dot. */
  dots?: boolean;
}

export interface LineChartOptions {
  label: string;
  heightPx: number;
  lines: readonly Line[];
  /** Axis of each scale, and how its values are written. */
  axes: readonly { scale: string; side: 'left' | 'right'; format: (value: number, increment: number) => string }[];
  /** Charts of one group share the place of the cursor. */
  group: string;
  onZoom: (range: StepRange | null) => void;
  /** The column the cursor is at; null when it has left. */
  onCursor: (index: number | null) => void;
  tooltip: ChartTooltip;
  /** Draws over the lines, for marks of its own. */
  overlay?: (plot: uPlot, colours: ChartColours) => void;
}

export interface LineChart {
  readonly element: HTMLElement;
  /** Draws the columns over the steps of `range`. */
  draw(columns: Columns, range: StepRange): void;
  /** Takes up the colours of the theme. */
  recolour(): void;
  /** The column the cursor is at; null when it is elsewhere. */
  cursor(): number | null;
  /** Its width in pixels, 0 while it is folded away. */
  width(): number;
}

export function createLineChart(options: LineChartOptions, onResize: () => void): LineChart {
  const place = h('div', {
    class: 'chart',
    role: 'img',
    aria: { label: options.label },
  });
  place.tabIndex = 0;
  place.style.height = `${options.heightPx}px`;
  let plot: uPlot | null = null;
  let drawn: { columns: Columns; range: StepRange } | null = null;

  new ResizeObserver(() => {
    if (place.clientWidth === 0) return;
    plot?.setSize({ width: place.clientWidth, height: options.heightPx });
    onResize();
  }).observe(place);
  place.addEventListener('dblclick', () => options.onZoom(null));
  place.addEventListener('keydown', event => {
    if (plot && drawn && moveCursor(plot, drawn.columns[0], event.key)) event.preventDefault();
  });

  const draw = (columns: Columns, range: StepRange) => {
    drawn = { columns, range };
    if (place.clientWidth === 0 || (plot === null && columns[0].length === 0)) return;
    plot ??= makePlot(options, place);
    const current = plot;
    current.batch(() => {
      current.setData(columns as uPlot.AlignedData, false);
      current.setScale('x', range);
    });
    showTooltip(current, options, place);
  };
  return {
    element: place,
    draw,
    recolour() {
      plot?.destroy();
      plot = null;
      if (drawn) draw(drawn.columns, drawn.range);
    },
    cursor: () => (plot === null ? null : cursorOf(plot)),
    width: () => place.clientWidth,
  };
}

function makePlot(options: LineChartOptions, place: HTMLElement): uPlot {
  const colours = readChartColours();
  const axis = { stroke: colours.text, font: colours.font, ticks: { show: false } };
  const plot = new uPlot(
    {
      width: place.clientWidth,
      height: options.heightPx,
      legend: { show: false },
      padding: [8, 24, 0, 0],
      scales: { x: { time: false, auto: false } },
      cursor: {
        drag: { x: true, y: false, setScale: false },
        sync: { key: options.group, scales: ['x', null] },
        points: { size: 6 },
        bind: { dblclick: () => null },
      },
      axes: [
        { ...axis, grid: { show: false }, size: 28, values: (_, values) => values.map(formatStep) },
        ...options.axes.map(({ scale, side, format }) => ({
          ...axis,
          scale,
          side: side === 'left' ? (3 as const) : (1 as const),
          size: 58,
          grid: { show: side === 'left', stroke: colours.grid, width: 1 },
          values: (_: uPlot, values: number[], _axis: number, _space: number, increment: number) =>
            values.map(value => format(value, increment)),
        })),
      ],
      series: [
        {},
        ...options.lines.map(line => ({
          label: line.label,
          scale: line.scale,
          stroke: colours[line.colour],
          width: line.width,
          spanGaps: true,
          points: line.dots ? { show: true, size: 7, fill: colours[line.colour] } : { show: false },
        })),
      ],
      hooks: {
        setSelect: [
          current => {
            if (current.select.width < 4) return;
            const min = current.posToVal(current.select.left, 'x');
            const max = current.posToVal(current.select.left + current.select.width, 'x');
            current.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            options.onZoom({ min, max });
          },
        ],
        setCursor: [
          current => {
            options.onCursor(cursorOf(current));
            showTooltip(current, options, place);
          },
        ],
        draw: [current => options.overlay?.(current, colours)],
      },
    },
    [[0], ...options.lines.map(() => [null])] as unknown as uPlot.AlignedData,
    place,
  );
  options.tooltip.attach(plot);
  return plot;
}

/** Only where the person is: the other charts' cursors follow along, and a box there would be in the way. */
function showTooltip(plot: uPlot, { tooltip }: LineChartOptions, place: HTMLElement): void {
  const isHere = place.matches(':hover') || document.activeElement === place;
  tooltip.show(plot, isHere ? cursorOf(plot) : null);
}

/** Where the cursor stands; a cursor that has left stands nowhere. */
function cursorOf(plot: uPlot): number | null {
  return (plot.cursor.left ?? -1) < 0 ? null : (plot.cursor.idx ?? null);
}

function formatStep(value: number): string {
  return Number.isInteger(value) ? String(value) : '';
}

/** Moves the cursor by the keyboard; false for keys that do not. */
function moveCursor(plot: uPlot, steps: readonly number[], key: string): boolean {
  const last = steps.length - 1;
  const at = plot.cursor.idx ?? last;
  const targets: Record<string, number> = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last };
  const target = targets[key];
  if (target === undefined) return false;
  const step = steps[Math.min(last, Math.max(0, target))];
  if (step !== undefined)
    plot.setCursor({ left: plot.valToPos(step, 'x'), top: plot.bbox.height / 2 / devicePixelRatio });
  return true;
}
