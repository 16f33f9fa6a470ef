/** @file How many rows are how long in tokens, with a line where the context ends. */

import type { DatasetState } from '../../src/shared/pages.ts';
import type { TokenHistogram } from '../../src/shared/review.ts';
import { createRebuilder, h, setShown, type View } from '../dom/element.ts';
import { formatCount } from '../format/formatNumber.ts';
import { svg } from '../study/svg.ts';

const [width, height, base] = [640, 150, 128];

export function createLengthChart(): View<DatasetState> {
  const place = h('div', { class: 'length-chart' });
  const element = h('section', {}, h('h2', {}, 'Length of rows'), place);
  const rebuild = createRebuilder<TokenHistogram | null>(place, lengths => (lengths === null ? [] : draw(lengths)));
  return {
    element,
    update({ lengths }) {
      rebuild(lengths);
      setShown(element, lengths !== null);
    },
  };
}

function draw({ model, contextTokens, edges, counts }: TokenHistogram): Node[] {
  const last = edges.at(-1)!;
  const most = Math.max(1, ...counts);
  const x = (tokens: number) => (tokens / last) * width;
  const bars = counts.map((count, bin) => {
    const tall = (count / most) * (base - 16);
    const isOver = edges[bin]! >= contextTokens;
    const bar = svg('rect', {
      class: isOver ? 'length-bar is-over' : 'length-bar',
      x: String(x(edges[bin]!) + 1),
      y: String(base - tall),
      width: String(Math.max(1, x(edges[bin + 1]!) - x(edges[bin]!) - 2)),
      height: String(tall),
    });
    bar.append(svg('title', {}, `${edges[bin]} to ${edges[bin + 1]! - 1} tokens: ${formatCount(count)} rows`));
    return bar;
  });
  const over = counts.reduce((sum, count, bin) => (edges[bin]! >= contextTokens ? sum + count : sum), 0);
  const line =
    contextTokens < last
      ? [
          svg('line', {
            class: 'context-line',
            x1: String(x(contextTokens)),
            x2: String(x(contextTokens)),
            y1: '0',
            y2: String(base),
          }),
        ]
      : [];
  const ends = [
    svg('text', { class: 'length-label', x: '0', y: String(height - 6) }, '0'),
    svg('text', { class: 'length-label is-end', x: String(width), y: String(height - 6) }, formatCount(last)),
  ];
  const said =
    contextTokens < last
      ? `${formatCount(over)} rows at least are cut at the context of ${formatCount(contextTokens)} tokens`
      : `every row fits the context of ${formatCount(contextTokens)} tokens`;
  const drawing = svg('svg', {
    viewBox: `0 0 ${width} ${height}`,
    role: 'img',
    'aria-label': `Rows by length: ${said}`,
  });
  drawing.append(...bars, ...line, ...ends);
  return [drawing, h('p', { class: 'muted' }, `Tokens of ${model}: ${said}.`)];
}
