/**
 * @file Rows that people decide on, one at a time: accept (a), edit (e) or reject (r), with a note; arrows go from row to row.
 * What was decided leaves the list, and the next row stands in its place.
 */
import type { DatasetState } from '../../src/shared/pages.ts';
import {
  type QueuedRow,
  type ReviewDecision,
  type ReviewPage,
  type ReviewStateName,
  reviewStates,
} from '../../src/shared/review.ts';
import { createButton, createTextInput } from '../controls/toolkit.ts';
import { createRebuilder, h, setAttribute, setShown, setText, type View } from '../dom/element.ts';
import { formatCount } from '../format/formatNumber.ts';

export interface ReviewEvents {
  onShow: (state: ReviewStateName, offset: number) => void;
  onDecide: (key: string, decision: ReviewDecision, note: string, answer: string | null) => void;
  onOpen: (file: string, line: number) => void;
}

const stateLabels: Readonly<Record<ReviewStateName, string>> = {
  pending: 'Pending',
  accept: 'Accepted',
  edit: 'Edited',
  reject: 'Rejected',
};
/** Rows of a page, as the host sends them. */
const pageRows = 20;

export function createReviewQueue(events: ReviewEvents): View<DatasetState> {
  let page: ReviewPage | null = null;
  let at = 0;
  let isBusy = false;
  let edited: string | null = null;

  const tabs = reviewStates.map(state => {
    const button = h('button', { class: 'review-tab', onClick: () => events.onShow(state, 0) });
    return { state, button };
  });
  const place = h('p', { class: 'figures muted', role: 'status' });
  const body = h('div', { class: 'review-row' });
  const drawRow = createRebuilder<QueuedRow | null>(body, row => (row === null ? [] : describeRow(row, events.onOpen)));
  const note = createTextInput({ label: 'Note', placeholder: 'Why', onInput: () => undefined });
  const answer = createTextInput({ label: 'Answer as it is to be', rows: 8, onInput: text => (edited = text) });
  const editor = h('div', { class: 'review-editor', hidden: true }, answer.element);
  const save = createButton({ label: 'Save edit', appearance: 'primary', onClick: () => decide('edit') });
  const cancel = createButton({ label: 'Cancel', onClick: () => closeEditor() });
  const accept = createButton({ label: 'Accept (a)', appearance: 'primary', onClick: () => decide('accept') });
  const edit = createButton({ label: 'Edit (e)', onClick: () => openEditor() });
  const reject = createButton({ label: 'Reject (r)', onClick: () => decide('reject') });
  const previous = createButton({ label: 'Previous', onClick: () => step(-1) });
  const next = createButton({ label: 'Next', onClick: () => step(1) });
  const usual = h('div', { class: 'button-line' }, ...[accept, edit, reject, previous, next].map(one => one.element));
  const editing = h('div', { class: 'button-line', hidden: true }, save.element, cancel.element);
  const work = h('div', { class: 'review-work' }, body, editor, note.element, usual, editing);
  const empty = h('p', { class: 'muted' });
  const element = h(
    'section',
    { class: 'review', aria: { label: 'Review' } },
    h('h2', {}, 'Review'),
    h('div', { class: 'review-tabs' }, ...tabs.map(({ button }) => button)),
    place,
    empty,
    work,
  );
  document.addEventListener('keydown', onKey);
  return { element, update };

  function update({ review, busy }: DatasetState): void {
    const before = current();
    page = review;
    isBusy = busy !== null;
    if (page !== null) at = Math.max(0, Math.min(at, page.rows.length - 1));
    const row = current();
    if (row?.key !== before?.key) {
      closeEditor();
      note.value = '';
    }
    draw();
  }

  function draw(): void {
    setShown(element, page !== null);
    if (page === null) return;
    const { counts } = page;
    const byState = { pending: counts.pending, accept: counts.accepted, edit: counts.edited, reject: counts.rejected };
    for (const { state, button } of tabs) {
      setText(button, `${stateLabels[state]} ${formatCount(byState[state])}`);
      setAttribute(button, 'aria-pressed', String(state === page.state));
    }
    const row = current();
    setShown(work, row !== null);
    setShown(place, row !== null);
    setShown(empty, row === null);
    const gone = counts.orphaned === 0 ? '' : ` Decisions on rows that are gone: ${formatCount(counts.orphaned)}.`;
    setText(empty, `No row is ${stateLabels[page.state].toLowerCase()}.${gone}`);
    if (row !== null) setText(place, `Row ${formatCount(page.offset + at + 1)} of ${formatCount(page.total)}.${gone}`);
    drawRow(row);
    for (const button of [accept, edit, reject, save]) button.setDisabled(isBusy);
    previous.setDisabled(isBusy || page.offset + at === 0);
    next.setDisabled(isBusy || page.offset + at >= page.total - 1);
  }

  function current(): QueuedRow | null {
    return page?.rows[at] ?? null;
  }

  function step(by: number): void {
    if (page === null || isBusy) return;
    const wanted = page.offset + at + by;
    if (wanted < 0 || wanted >= page.total) return;
    closeEditor();
    if (wanted >= page.offset && wanted < page.offset + page.rows.length) {
      at += by;
      draw();
      return;
    }
    const offset = by > 0 ? wanted : Math.max(0, wanted - pageRows + 1);
    at = wanted - offset;
    events.onShow(page.state, offset);
  }

  function decide(decision: ReviewDecision): void {
    const row = current();
    if (row === null || isBusy) return;
    events.onDecide(row.key, decision, note.value, decision === 'edit' ? (edited ?? lastAnswer(row)) : null);
    closeEditor();
  }

  function openEditor(): void {
    const row = current();
    if (row === null || isBusy) return;
    edited = null;
    answer.value = lastAnswer(row);
    showEditor(true);
  }

  function closeEditor(): void {
    edited = null;
    showEditor(false);
  }

  function showEditor(isShown: boolean): void {
    setShown(editor, isShown);
    setShown(editing, isShown);
    setShown(usual, !isShown);
  }

  function onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) {
      if (event.key === 'Escape') closeEditor();
      return;
    }
    const actions: Readonly<Record<string, () => void>> = {
      a: () => decide('accept'),
      r: () => decide('reject'),
      e: openEditor,
      ArrowRight: () => step(1),
      ArrowLeft: () => step(-1),
      Escape: closeEditor,
    };
    const action = actions[event.key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  }
}

/** Whether the key goes into a field; the field is inside a component of its own. */
function isTyping(event: KeyboardEvent): boolean {
  return event
    .composedPath()
    .some(target => target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function lastAnswer({ messages }: QueuedRow): string {
  return messages.findLast(({ role }) => role === 'assistant' || role === 'text')?.content ?? '';
}

function describeRow(
  { file, line, reviewer, note, messages }: QueuedRow,
  onOpen: ReviewEvents['onOpen'],
): HTMLElement[] {
  const open = h('button', { class: 'link', onClick: () => onOpen(file, line) }, `line ${line}`);
  const said = reviewer === '' ? '' : ` · ${reviewer}${note === '' ? '' : `: ${note}`}`;
  return [
    h('p', { class: 'muted' }, open, said),
    ...messages.map(({ role, content }) =>
      h(
        'div',
        { class: 'message', data: { role } },
        h('h3', { class: 'muted' }, role),
        h('p', { class: 'said' }, content),
      ),
    ),
  ];
}
