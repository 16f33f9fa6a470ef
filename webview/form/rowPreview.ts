/** @file One row as the model sees it: its tokens, those that count in the loss marked by more than colour. */
import type { RowTokens } from '../../src/shared/datasetProtocol.ts';
import type { FormState } from '../../src/shared/pages.ts';
import { createDisclosure } from '../controls/disclosure.ts';
import { createIconButton } from '../controls/toolkit.ts';
import { createRebuilder, h, setShown, setText, type View } from '../dom/element.ts';
import { drawIcon } from '../dom/icon.ts';
import { formatCount } from '../format/formatNumber.ts';

/** A page of tokens: more would only slow the sidebar down. */
const shownTokens = 1500;

export function createRowPreview(onShowRow: (row: number) => void): View<FormState> {
  let row = 0;
  let rows = 0;
  let asked = '';
  let key = '';
  const ask = () => {
    asked = key;
    onShowRow(row);
  };
  const step = (by: number) => {
    row = Math.min(Math.max(0, row + by), Math.max(0, rows - 1));
    ask();
    describe();
  };
  const previous = createIconButton({ icon: drawIcon('previous'), label: 'Previous row', onClick: () => step(-1) });
  const next = createIconButton({ icon: drawIcon('next'), label: 'Next row', onClick: () => step(1) });
  const place = h('span', { class: 'figures', role: 'status' });
  const describe = () => {
    setText(place, `Row ${formatCount(row + 1)} of ${formatCount(rows)}`);
    previous.setDisabled(row === 0);
    next.setDisabled(row >= rows - 1);
  };
  const body = h('div', { class: 'row-preview' });
  const rebuild = createRebuilder<RowTokens | null>(body, tokens =>
    tokens === null ? [h('p', { class: 'muted' }, 'Tokenising…')] : drawRow(tokens),
  );
  const unready = h('p', { class: 'muted' }, 'Choose a dataset and a model to see their tokens.');
  const stepper = h('div', { class: 'stepper' }, previous.element, place, next.element);
  const disclosure = createDisclosure(
    'What is trained on',
    {
      onToggle: open => {
        if (open && isReady && asked !== key) ask();
      },
    },
    unready,
    stepper,
    body,
  );
  let isReady = false;

  return {
    element: disclosure.element,
    update(state) {
      const { inspection } = state;
      isReady = inspection !== null && inspection.usableRows > 0 && state.model !== '' && !state.inspecting;
      rows = inspection?.usableRows ?? 0;
      row = Math.min(row, Math.max(0, rows - 1));
      // Another file, mapping or tokenizer shows the row differently: ask again.
      key = JSON.stringify([state.dataset?.path, inspection?.mapping, state.model, state.values.contextTokens]);
      if (disclosure.element.open && isReady && asked !== key) ask();
      setShown(unready, !isReady);
      setShown(stepper, isReady);
      setShown(body, isReady);
      describe();
      rebuild(state.row);
    },
  };
}

function drawRow({ line, tokens }: RowTokens): HTMLElement[] {
  const supervised = tokens.filter(token => token.supervised).length;
  const legend = h(
    'p',
    { class: 'legend' },
    h('span', { class: 'token is-supervised' }, 'Trained on'),
    h('span', { class: 'figures' }, formatCount(supervised)),
    h('span', { class: 'token' }, 'Context only'),
    h('span', { class: 'figures' }, formatCount(tokens.length - supervised)),
    h('span', { class: 'muted figures' }, `line ${formatCount(line)}`),
  );
  const text = h('div', { class: 'tokens mono', role: 'group', aria: { label: `Tokens of line ${line}` } });
  for (const token of tokens.slice(0, shownTokens)) text.append(...drawToken(token));
  const rest = tokens.length - shownTokens;
  return [legend, text, ...(rest > 0 ? [h('p', { class: 'muted' }, `and ${formatCount(rest)} more tokens`)] : [])];
}

function drawToken({ id, text, supervised }: RowTokens['tokens'][number]): Node[] {
  const visible = text === '' ? '·' : text.replaceAll('\n', '↵');
  const span = h('span', { class: supervised ? 'token is-supervised' : 'token', title: `id ${id}` }, visible);
  return text.includes('\n') ? [span, h('br')] : [span];
}
