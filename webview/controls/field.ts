/** @file What stands around an input: its hint, its error and the reset of a changed value, tied together for a screen reader. */
import { createId, h, setShown, setText } from '../dom/element.ts';
import { drawIcon } from '../dom/icon.ts';
import { createIconButton, type InputControl } from './toolkit.ts';

export interface FieldOptions {
  label: string;
  hint?: string;
  /** A visible label of its own, for controls that bring none. */
  labelElement?: HTMLElement;
  control: HTMLElement;
  describe: InputControl['describe'] | null;
  onReset?: () => void;
  class?: string;
  data?: Record<string, string>;
}

export interface Field {
  readonly element: HTMLElement;
  setError(message: string | null): void;
  setHint(text: string): void;
  setChanged(changed: boolean): void;
}

/** One input with all that belongs to it. */
export function createField(options: FieldOptions): Field {
  const hint = h('p', { class: 'hint', id: createId('hint') }, options.hint ?? '');
  setShown(hint, Boolean(options.hint));
  const errorText = h('span');
  const error = h('p', { class: 'field-error', id: createId('error'), hidden: true }, drawIcon('error'), errorText);
  const reset = options.onReset
    ? createIconButton({
        icon: drawIcon('discard'),
        label: `Reset ${options.label} to its default`,
        onClick: options.onReset,
      })
    : null;
  if (reset) {
    reset.element.classList.add('field-reset');
    reset.element.hidden = true;
  }
  const element = h(
    'div',
    { class: `field ${options.class ?? ''}`.trim(), data: options.data ?? {} },
    options.labelElement ?? null,
    options.control,
    reset?.element ?? null,
    error,
    hint,
  );
  const describe = () => options.describe?.(!error.hidden, error.hidden ? [hint] : [error, hint]);
  return {
    element,
    setError(message) {
      setText(errorText, message ?? '');
      setShown(error, message !== null);
      element.classList.toggle('has-error', message !== null);
      describe();
    },
    setHint(text) {
      setText(hint, text);
      setShown(hint, text !== '');
    },
    setChanged(changed) {
      element.classList.toggle('is-changed', changed);
      if (reset) setShown(reset.element, changed);
    },
  };
}
