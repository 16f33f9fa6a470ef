/** @file What a dataset is: rows, format, encoding, mapping, languages. */

import { formatBytes } from '../../src/shared/formatBytes.ts';
import type { DatasetState } from '../../src/shared/pages.ts';
import { createRebuilder, h, type View } from '../dom/element.ts';
import { formatCount } from '../format/formatNumber.ts';

interface Tile {
  readonly label: string;
  readonly value: string;
  readonly note: string;
}

export function createOverviewTiles(): View<DatasetState> {
  const tiles = h('dl', { class: 'tiles' });
  const rebuild = createRebuilder<readonly Tile[]>(tiles, all =>
    all.map(({ label, value, note }) =>
      h(
        'div',
        { class: 'tile' },
        h('dt', {}, label),
        h(
          'dd',
          {},
          h('span', { class: 'tile-value figures', title: value }, value),
          h('span', { class: 'tile-note muted figures', title: note }, note),
        ),
      ),
    ),
  );
  return { element: tiles, update: state => rebuild(describeTiles(state)) };
}

function describeTiles({ inspection, checks }: DatasetState): Tile[] {
  if (inspection === null) return [];
  const { rows, usableRows, problemCount, format, encoding, fileBytes, fileCount, mapping, tokens } = inspection;
  const languages = Object.entries(checks?.languages ?? {}).sort((a, b) => b[1] - a[1]);
  return [
    {
      label: 'Rows',
      value: formatCount(rows),
      note: rows === usableRows ? 'all can be read' : `${formatCount(usableRows)} can be read`,
    },
    { label: 'Problems', value: formatCount(problemCount), note: problemCount === 0 ? '' : 'see below' },
    { label: 'Format', value: format, note: `${encoding}, ${formatBytes(fileBytes)}` },
    { label: 'Files', value: formatCount(fileCount), note: '' },
    { label: 'Mapping', value: mapping.kind, note: Object.values(mapping.fields).join(', ') },
    {
      label: 'Tokens',
      value: tokens === null ? '–' : formatCount(tokens.total),
      note: tokens === null ? 'choose a model of this machine' : `${formatCount(tokens.supervised)} learned`,
    },
    {
      label: 'Languages',
      value: languages[0]?.[0] ?? '–',
      note: languages
        .slice(1, 4)
        .map(([language, count]) => `${language} ${formatCount(count)}`)
        .join(', '),
    },
  ];
}
