/** @file A framed message: what happened, what to do next, and the buttons for it. */
import type { WireError } from '../../src/shared/errors.ts';
import { type Child, createRebuilder, h, setShown, type View } from '../dom/element.ts';
import { drawIcon, type IconName } from '../dom/icon.ts';

export type NoticeKind = 'info' | 'warning' | 'error' | 'lock';

const icons: Record<NoticeKind, IconName> = { info: 'info', warning: 'warning', error: 'error', lock: 'lock' };

export function createNotice(kind: NoticeKind, ...children: Child[]): HTMLElement {
  return h(
    'div',
    { class: `notice notice-${kind}` },
    drawIcon(icons[kind]),
    h('div', { class: 'notice-body' }, ...children),
  );
}

/** Shows a failure as it is worded for people, with its place and its hint; nothing while there is none. */
export function createErrorNotice(): View<WireError | null> {
  const element = h('div', { role: 'alert', hidden: true });
  const rebuild = createRebuilder<WireError | null>(element, error =>
    error === null ? [] : [createNotice('error', ...describeError(error))],
  );
  return {
    element,
    update(error) {
      rebuild(error);
      setShown(element, error !== null);
    },
  };
}

function describeError(error: WireError): Child[] {
  const place = error.file === undefined ? null : error.line === undefined ? error.file : `${error.file}:${error.line}`;
  return [
    h('p', {}, error.message),
    place === null || error.message.includes(place) ? null : h('p', { class: 'muted mono' }, place),
    error.hint === undefined ? null : h('p', { class: 'muted' }, error.hint),
  ];
}
