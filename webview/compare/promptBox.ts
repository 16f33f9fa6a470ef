/** @file The prompt that all three are asked, how they decode, and the buttons that ask and cancel. */
import type { CompareState } from '../../src/shared/pages.ts';
import { createButton, createTextInput } from '../controls/toolkit.ts';
import { h, setShown, setText, type View } from '../dom/element.ts';
import { createTextDraft, plainText } from '../seam/textDraft.ts';
import { createDecodingFields } from './decodingFields.ts';
import { createHeldOutStepper, readReference } from './heldOutStepper.ts';

const runKeys = /Mac/.test(navigator.userAgent) ? '⌘Enter' : 'Ctrl+Enter';

export interface PromptBoxEvents {
  onPrompt: (prompt: string) => void;
  onSettings: (settings: CompareState['settings']) => void;
  onHeldOut: (index: number) => void;
  onRun: () => void;
  onCancel: () => void;
}

export function createPromptBox(events: PromptBoxEvents): View<CompareState> {
  const stepper = createHeldOutStepper(events.onHeldOut);
  const prompt = createTextInput({
    label: 'Prompt',
    placeholder: 'Ask something, or step through the held-out rows',
    rows: 4,
    onInput: text => {
      draft.typed();
      events.onPrompt(text);
      describe();
    },
    onLeave: () => draft.left(),
  });
  const draft = createTextDraft(prompt, plainText);
  const decoding = createDecodingFields(events.onSettings);
  const runNow = () => {
    if (!isRunning && prompt.value.trim() !== '') events.onRun();
  };
  let isRunning = false;
  const run = createButton({ label: 'Run', appearance: 'primary', onClick: runNow });
  const cancel = createButton({ label: 'Cancel', onClick: events.onCancel });
  const describe = () => run.setDisabled(isRunning || prompt.value.trim() === '');
  prompt.element.addEventListener('keydown', event => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    runNow();
  });
  const reference = h('p', { class: 'reference-text' });
  const referencePart = h('div', { class: 'reference' }, h('h2', {}, 'Reference answer'), reference);
  return {
    element: h(
      'section',
      { class: 'prompt-box', aria: { label: 'Prompt' } },
      stepper.element,
      prompt.element,
      h(
        'div',
        { class: 'prompt-actions' },
        decoding.element,
        h('div', { class: 'buttons' }, run.element, cancel.element, h('span', { class: 'muted' }, runKeys)),
      ),
      referencePart,
    ),
    update(state) {
      isRunning = state.running;
      stepper.update(state);
      draft.receive(state.prompt);
      decoding.update(state.settings);
      describe();
      cancel.setDisabled(!state.running && state.searching === null && state.loading === null);
      const text = readReference(state);
      setShown(referencePart, text !== null);
      setText(reference, text ?? '');
    },
  };
}
