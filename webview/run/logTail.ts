/** @file The last lines of the log; follows the newest one unless the reader has scrolled up. */
import type { RunState } from '../../src/shared/pages.ts';
import { createButton } from '../controls/toolkit.ts';
import { h, setText, type View } from '../dom/element.ts';

export function createLogTail(onShowLog: () => void): View<Pick<RunState, 'logTail'>> {
  const log = h('pre', { class: 'log mono', role: 'log', aria: { label: 'Log' } });
  log.tabIndex = 0;
  return {
    element: h(
      'div',
      { class: 'tab-content' },
      log,
      createButton({ label: 'Open the whole log', onClick: onShowLog }).element,
    ),
    update({ logTail }) {
      const isAtEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
      setText(log, logTail.length === 0 ? 'Nothing logged yet.' : logTail.join('\n'));
      if (isAtEnd) log.scrollTop = log.scrollHeight;
    },
  };
}
