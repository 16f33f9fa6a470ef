/** @file How much each setting decided, as bars. */
import { labelSearched } from '../../src/shared/searchRecord.ts';
import { createRebuilder, h, type View } from '../dom/element.ts';
import type { ShownStudy } from './shownStudy.ts';
import { svg } from './svg.ts';

export function createImportanceBars(): View<ShownStudy> {
  const place = h('div', { class: 'importance' });
  const rebuild = createRebuilder<readonly { name: string; share: number }[]>(place, shares =>
    shares.length === 0
      ? [h('p', { class: 'muted' }, 'After four complete trials this says which settings decided.')]
      : [
          h(
            'dl',
            { class: 'importance-bars' },
            ...shares.flatMap(({ name, share }) => drawBar(labelSearched(name), share)),
          ),
          h('p', { class: 'muted' }, 'Shares by PED-ANOVA; of few trials a hint, no proof.'),
        ],
  );
  return {
    element: h('section', { class: 'study-section' }, h('h2', {}, 'What mattered'), place),
    update: ({ study }) => rebuild(study?.importance ?? []),
  };
}

function drawBar(label: string, share: number): HTMLElement[] {
  const bar = svg('svg', {
    viewBox: '0 0 100 10',
    preserveAspectRatio: 'none',
    class: 'importance-bar',
    'aria-hidden': 'true',
  });
  bar.append(svg('rect', { x: '0', y: '0', height: '10', width: Math.max(0.5, 100 * share).toFixed(1) }));
  const figure = h('dd', {}, h('span', { class: 'figures' }, `${Math.round(100 * share)} %`));
  figure.prepend(bar);
  return [h('dt', { class: 'cut', title: label }, label), figure];
}
