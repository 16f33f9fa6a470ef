/** @file A part that folds away, with a line that says what is in it. */
import { type Child, h, setText } from '../dom/element.ts';

export interface Disclosure {
  readonly element: HTMLDetailsElement;
  setNote(note: string): void;
}

export function createDisclosure(
  title: string,
  options: { open?: boolean; class?: string; onToggle?: (open: boolean) => void },
  ...children: Child[]
): Disclosure {
  const note = h('span', { class: 'muted' });
  const element = h(
    'details',
    { class: `disclosure ${options.class ?? ''}`.trim() },
    h('summary', {}, h('span', { class: 'disclosure-title' }, title), note),
    ...children,
  );
  element.open = options.open ?? false;
  element.addEventListener('toggle', () => options.onToggle?.(element.open));
  return { element, setNote: text => setText(note, text) };
}
