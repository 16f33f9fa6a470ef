/** @file The best prompt that could be found for the base model: shown, scored, searched anew and edited by hand. */
import type { BestPrompt } from '../../src/shared/inferenceProtocol.ts';
import type { CompareState } from '../../src/shared/pages.ts';
import { createDisclosure } from '../controls/disclosure.ts';
import { createMeter } from '../controls/meter.ts';
import { createButton, createTextInput } from '../controls/toolkit.ts';
import { createRebuilder, h, setShown, setText, type View } from '../dom/element.ts';
import { formatCount, formatCounted } from '../format/formatNumber.ts';
import { createDelayedSend } from '../seam/delayedSend.ts';
import { createTextDraft } from '../seam/textDraft.ts';
import { createExampleList, ownLine } from './exampleList.ts';

type Edited = Pick<BestPrompt, 'system' | 'examples'>;

export interface PromptEditor extends View<CompareState> {
  /** Sends at once what was typed and is still waiting. */
  flush(): void;
}

const pauseMs = 400;
const nothing: Edited = { system: '', examples: [] };

export function createPromptEditor(events: { onEdit: (prompt: Edited) => void; onSearch: () => void }): PromptEditor {
  const onChange = () => {
    draft.typed();
    sending.schedule();
    describe();
  };
  const onLeave = () => {
    sending.flush();
    // The focus may only move to the next field of the editor.
    setTimeout(() => {
      if (!isFocused()) draft.left();
    });
  };
  const system = createTextInput({ label: 'System text', rows: 3, onInput: onChange, onLeave });
  const list = createExampleList({ onChange, onLeave });
  const isFocused = () => document.hasFocus() && body.contains(document.activeElement);
  const read = (): Edited => ({ system: system.value, examples: list.examples });
  const draft = createTextDraft<Edited>(
    {
      get value() {
        return JSON.stringify(read());
      },
      set value(text) {
        const prompt = JSON.parse(text) as Edited;
        system.value = prompt.system;
        list.examples = prompt.examples;
      },
      isFocused: () => isFocused(),
    },
    {
      print: prompt => JSON.stringify({ system: prompt.system, examples: prompt.examples }),
      read: text => JSON.parse(text) as Edited,
      equals: (a, b) => a.system === b.system && JSON.stringify(a.examples) === JSON.stringify(b.examples),
    },
  );
  const sending = createDelayedSend(pauseMs, () => events.onEdit(read()));
  const add = createButton({
    label: 'Add example',
    onClick: () => {
      list.examples = [...list.examples, { question: '', answer: '', line: ownLine }];
      onChange();
      list.element.querySelector<HTMLElement>('li:last-child vscode-text-area')?.focus();
    },
  });
  const search = createButton({ label: 'Search best prompt', onClick: events.onSearch });
  const explanation = h(
    'p',
    { class: 'muted' },
    'Tries 0, 2, 4 and 8 examples from the training rows and keeps what scores best on training rows kept aside.',
  );
  const scores = h('ul', { class: 'scores' });
  const rebuildScores = createRebuilder<Pick<BestPrompt, 'scores' | 'chosenK'> | null>(scores, drawScores);
  const meter = createMeter('progressbar', 'Searching the best prompt');
  const progress = h('p', { class: 'muted figures', role: 'status' });
  const searching = h('div', { class: 'loading' }, progress, meter.element);
  const body = h(
    'div',
    { class: 'prompt-editor' },
    h('div', { class: 'buttons' }, search.element, scores),
    explanation,
    searching,
    system.element,
    list.element,
    h('div', { class: 'buttons' }, add.element),
  );
  const disclosure = createDisclosure('Best prompt', {}, body);
  const describe = () => {
    const count = list.examples.length;
    const isEmpty = count === 0 && system.value === '';
    disclosure.setNote(
      isEmpty ? 'none yet: searched with the first run' : `${formatCounted(count, 'example')} shown to the base`,
    );
  };
  return {
    element: disclosure.element,
    flush: () => sending.flush(),
    update(state) {
      const { bestPrompt } = state;
      draft.receive(bestPrompt ?? nothing);
      describe();
      rebuildScores(bestPrompt && { scores: bestPrompt.scores, chosenK: bestPrompt.chosenK });
      search.setDisabled(state.searching !== null || state.running || state.adapter === null);
      setShown(searching, state.searching !== null);
      if (state.searching === null) return;
      const { done, total } = state.searching;
      const text = `Scoring prompts: ${formatCount(done)} of ${formatCount(total)}`;
      setText(progress, text);
      meter.update({ value: done, max: total, text, tone: 'normal' });
    },
  };
}

function drawScores(prompt: Pick<BestPrompt, 'scores' | 'chosenK'> | null): HTMLElement[] {
  return (prompt?.scores ?? []).map(({ k, tokenF1 }) => {
    const isChosen = k === prompt?.chosenK;
    return h(
      'li',
      { class: isChosen ? 'score is-chosen' : 'score', title: `Mean F1 with ${formatCounted(k, 'example')}` },
      h('span', { class: 'muted' }, `${k} ex.`),
      h('span', { class: 'figures' }, tokenF1.toFixed(3)),
      isChosen ? h('span', { class: 'muted' }, 'chosen') : null,
    );
  });
}
