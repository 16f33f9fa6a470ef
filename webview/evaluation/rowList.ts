/** @file The judged rows, a page at a time: all, or where one candidate does worse, better or as well as another. */
import { type EvaluationRows, type RowChoice, type RowFilter, rowChoices } from '../../src/shared/evaluationView.ts';
import type { EvaluationState } from '../../src/shared/pages.ts';
import { createButton, createDropdown } from '../controls/toolkit.ts';
import { createId, createRebuilder, h, setText, type View } from '../dom/element.ts';
import { formatCount } from '../format/formatNumber.ts';

export interface RowListEvents {
  onFilter: (filter: RowFilter) => void;
  onOpen: (row: number) => void;
}

const choiceLabels: Record<RowChoice, string> = {
  all: 'all rows',
  worse: 'rows where it is worse',
  better: 'rows where it is better',
  same: 'rows where both are the same',
};

/** Rows of one page, as the host cuts them. */
const pageRows = 25;

export function createRowList(events: RowListEvents): View<EvaluationState> {
  let filter: RowFilter = { candidate: '', opponent: '', choice: 'all', offset: 0 };
  const change = (changed: Partial<RowFilter>) => events.onFilter({ ...filter, offset: 0, ...changed });
  const candidate = createChoice('Candidate', value => change({ candidate: value }));
  const choice = createChoice('Show', value => change({ choice: rowChoices.find(known => known === value) ?? 'all' }));
  const opponent = createChoice('Beside', value => change({ opponent: value }));
  choice.dropdown.setOptions(
    rowChoices.map(value => ({ value, label: choiceLabels[value] })),
    'all',
  );
  const place = h('div', { class: 'wide-table', role: 'region', aria: { label: 'Rows' } });
  place.tabIndex = 0;
  const rebuild = createRebuilder<Pick<EvaluationState, 'candidates'> & { rows: EvaluationRows }>(place, state =>
    drawRows(state, events),
  );
  const count = h('p', { class: 'muted figures', role: 'status' });
  const previous = createButton({
    label: 'Previous',
    onClick: () => change({ offset: Math.max(0, filter.offset - pageRows) }),
  });
  const next = createButton({ label: 'Next', onClick: () => change({ offset: filter.offset + pageRows }) });
  return {
    element: h(
      'section',
      { class: 'evaluation-section' },
      h('h2', {}, 'Rows'),
      h('p', { class: 'muted' }, 'By token F1 of the answers against the reference; the largest differences first.'),
      h('div', { class: 'row-filter' }, candidate.element, choice.element, opponent.element),
      place,
      h('div', { class: 'buttons' }, previous.element, next.element, count),
    ),
    update({ candidates, rows, rowCount }) {
      filter = rows.filter;
      const options = candidates.map(({ id, label }) => ({ value: id, label }));
      candidate.dropdown.setOptions(options, filter.candidate);
      opponent.dropdown.setOptions(options, filter.opponent);
      choice.dropdown.value = filter.choice;
      const last = Math.min(filter.offset + rows.rows.length, rows.total);
      const of = rowCount === null || filter.choice === 'all' ? '' : ` of ${formatCount(rowCount)} judged`;
      setText(count, rows.total === 0 ? '' : `${filter.offset + 1}–${last} of ${formatCount(rows.total)} rows${of}`);
      previous.setDisabled(filter.offset === 0);
      next.setDisabled(last >= rows.total);
      rebuild({ candidates, rows });
    },
  };
}

function createChoice(text: string, onChange: (value: string) => void) {
  const label = h('span', { class: 'muted', id: createId('label') }, text);
  const dropdown = createDropdown({ labelId: label.id, choices: [], onChange });
  return { element: h('div', { class: 'row-choice' }, label, dropdown.element), dropdown };
}

function drawRows(
  { candidates, rows: { rows, filter, opened } }: Pick<EvaluationState, 'candidates'> & { rows: EvaluationRows },
  { onOpen }: RowListEvents,
): HTMLElement[] {
  if (rows.length === 0) {
    const text = filter.choice === 'all' ? 'No row has been read yet.' : 'There is no such row.';
    return [h('p', { class: 'muted' }, text)];
  }
  const head = ['Line', 'Question', ...candidates.map(({ label }) => label)];
  const body = rows.map(({ row, line, question, scores }) => {
    const open = h('button', { class: 'link row-question', onClick: () => onOpen(row) }, question);
    open.setAttribute('aria-label', `Open the answers to line ${line}`);
    const figures = candidates.map(({ id }) => h('td', { class: 'figures' }, scores[id]?.toFixed(3) ?? '–'));
    return h(
      'tr',
      { class: row === opened?.row ? 'is-selected' : '' },
      h('td', { class: 'figures' }, String(line)),
      h('td', {}, open),
      ...figures,
    );
  });
  return [
    h(
      'table',
      {},
      h('thead', {}, h('tr', {}, ...head.map(text => h('th', { class: 'cut row-head', title: text }, text)))),
      h('tbody', {}, ...body),
    ),
  ];
}
