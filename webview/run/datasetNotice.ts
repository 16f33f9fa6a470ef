/** @file The dataset file is no longer what the run was trained on: says so and shows which rows differ. */
import type { RowDifference } from '../../src/shared/datasetProtocol.ts';
import type { RunState } from '../../src/shared/pages.ts';
import { createNotice } from '../controls/notice.ts';
import { createButton } from '../controls/toolkit.ts';
import { createRebuilder, h, setShown, setText, type View } from '../dom/element.ts';
import { formatCount, formatCounted } from '../format/formatNumber.ts';

const changeLabels: Record<RowDifference['change'], string> = {
  added: 'Added',
  removed: 'Removed',
  changed: 'Changed',
};

export function createDatasetNotice(onShow: () => void): View<RunState> {
  const text = h('p');
  const button = createButton({ label: 'Show what differs', onClick: onShow });
  const table = h('div', { class: 'differences' });
  const rebuild = createRebuilder<RunState['datasetDifferences']>(table, found =>
    found === null ? [] : drawTable(found),
  );
  const element = createNotice('warning', text, button.element, table);
  return {
    element,
    update({ datasetChanged, datasetDifferences, record }) {
      setShown(element, datasetChanged);
      const name = record?.datasets[0]?.path.split(/[\\/]/).at(-1) ?? 'The dataset';
      setText(text, `${name} has changed: this run was trained on an older version of it.`);
      setShown(button.element, datasetDifferences === null);
      rebuild(datasetDifferences);
    },
  };
}

function drawTable({ differences, differenceCount }: NonNullable<RunState['datasetDifferences']>): HTMLElement[] {
  if (differenceCount === 0) return [h('p', { class: 'muted' }, 'The rows are the same; only their writing differs.')];
  const head = h('tr', {}, ...['Change', 'Line', 'Trained on', 'File now'].map(title => h('th', {}, title)));
  const rows = differences.map(({ change, line, before, after }) =>
    h(
      'tr',
      { data: { change } },
      h('td', {}, changeLabels[change]),
      h('td', { class: 'figures' }, formatCount(line)),
      h('td', { class: 'row-text', data: { side: 'Trained on' } }, before ?? '–'),
      h('td', { class: 'row-text', data: { side: 'File now' } }, after ?? '–'),
    ),
  );
  const rest = differenceCount - differences.length;
  return [
    h('p', { class: 'muted' }, `${formatCounted(differenceCount, 'row')} differ${differenceCount === 1 ? 's' : ''}`),
    h('table', {}, h('thead', {}, head), h('tbody', {}, ...rows)),
    ...(rest > 0 ? [h('p', { class: 'muted' }, `and ${formatCount(rest)} more`)] : []),
  ];
}
