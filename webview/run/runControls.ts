/** @file What can be asked of a run in its state, as buttons that keep their places. */
import type { RunState } from '../../src/shared/pages.ts';
import { createButton } from '../controls/toolkit.ts';
import { h, setShown, type View } from '../dom/element.ts';
import { allowedActions, type ControlAction, openActions } from './openActions.ts';

const pendingLabels: Record<ControlAction, string> = {
  pause: 'Pausing…',
  resume: 'Resuming…',
  stop: 'Stopping…',
  checkpoint: 'Saving…',
};

export interface RunControlEvents {
  onControl: (action: ControlAction) => void;
  onCompare: () => void;
  onAgain: () => void;
  onReveal: () => void;
}

export function createRunControls(events: RunControlEvents): View<RunState> {
  // Pause and Resume never make sense together: one button, in one place.
  let turn: 'pause' | 'resume' = 'pause';
  const pause = createButton({ label: 'Pause', onClick: () => events.onControl(turn) });
  const checkpoint = createButton({ label: 'Checkpoint now', onClick: () => events.onControl('checkpoint') });
  const stop = createButton({ label: 'Stop', onClick: () => events.onControl('stop') });
  const compare = createButton({ label: 'Compare…', appearance: 'primary', onClick: events.onCompare });
  const again = createButton({ label: 'Run again…', onClick: events.onAgain });
  const reveal = createButton({ label: 'Reveal folder', onClick: events.onReveal });
  const steering = h('div', { class: 'buttons' }, pause.element, checkpoint.element, stop.element);
  return {
    element: h(
      'div',
      { class: 'run-controls' },
      steering,
      h('div', { class: 'buttons' }, compare.element, again.element, reveal.element),
    ),
    update({ state, pendingControl: pending, canCompare, pipeline }) {
      const open = openActions(state, pending);
      turn = allowedActions[state].includes('resume') || pending === 'resume' ? 'resume' : 'pause';
      const label = turn === 'resume' ? 'Resume' : 'Pause';
      pause.setLabel(pending === 'pause' || pending === 'resume' ? pendingLabels[pending] : label);
      pause.setDisabled(!open.includes(turn));
      checkpoint.setLabel(pending === 'checkpoint' ? pendingLabels.checkpoint : 'Checkpoint now');
      checkpoint.setDisabled(!open.includes('checkpoint'));
      stop.setLabel(pending === 'stop' ? pendingLabels.stop : 'Stop');
      stop.setDisabled(!open.includes('stop'));
      setShown(steering, state !== 'finished');
      compare.setDisabled(!canCompare);
      // Its stages' runs have these.
      for (const { element } of [checkpoint, compare, again]) setShown(element, pipeline === null);
    },
  };
}
