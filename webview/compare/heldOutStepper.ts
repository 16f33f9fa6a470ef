/** @file Steps through the rows the model never saw, each with the answer it should have given. */
import type { CompareState } from '../../src/shared/pages.ts';
import { createIconButton } from '../controls/toolkit.ts';
import { h, setShown, setText, type View } from '../dom/element.ts';
import { drawIcon } from '../dom/icon.ts';
import { formatCount } from '../format/formatNumber.ts';

export function createHeldOutStepper(onShow: (index: number) => void): View<CompareState> {
  let index = 0;
  const previous = createIconButton({
    icon: drawIcon('previous'),
    label: 'Previous held-out row',
    onClick: () => onShow(index - 1),
  });
  const next = createIconButton({
    icon: drawIcon('next'),
    label: 'Next held-out row',
    onClick: () => onShow(index + 1),
  });
  const place = h('span', { class: 'figures', role: 'status' });
  const again = h('button', { class: 'link', onClick: () => onShow(index) }, 'Use its question');
  const stepper = h('div', { class: 'stepper' }, previous.element, place, next.element, again);
  return {
    element: stepper,
    update(state) {
      const { heldOut } = state;
      previous.setDisabled(heldOut === null || heldOut.row.index === 0);
      next.setDisabled(heldOut === null || heldOut.row.index >= heldOut.total - 1);
      setShown(again, heldOut !== null && readReference(state) === null);
      if (heldOut === null) {
        setText(place, 'No held-out rows');
        return;
      }
      index = heldOut.row.index;
      setText(
        place,
        `Held-out row ${formatCount(index + 1)} of ${formatCount(heldOut.total)} (line ${formatCount(heldOut.row.line)})`,
      );
    },
  };
}

/** The reference for the prompt as it stands; null once the prompt is no longer the row's question. */
export function readReference({ heldOut, prompt }: Pick<CompareState, 'heldOut' | 'prompt'>): string | null {
  if (heldOut === null) return null;
  const question = heldOut.row.messages.findLast(message => message.role === 'user')?.content;
  return question?.trim() === prompt.trim() ? heldOut.row.reference : null;
}
