/** @file What a person should know about the run's state before reading its curves. */
import { diagnoseCurves, diagnoseForgetting, type Finding } from '../../src/shared/diagnose.ts';
import type { RunState } from '../../src/shared/pages.ts';
import { createErrorNotice, createNotice, type NoticeKind } from '../controls/notice.ts';
import { createRebuilder, h, type View } from '../dom/element.ts';
import { formatCount } from '../format/formatNumber.ts';

export function createRunNotices(): View<RunState> {
  const state = h('div', { role: 'status' });
  const rebuild = createRebuilder<{ kind: NoticeKind; text: string } | null>(state, notice =>
    notice === null ? [] : [createNotice(notice.kind, h('p', {}, notice.text))],
  );
  const findings = h('div', { class: 'notices' });
  const rebuildFindings = createRebuilder<readonly Finding[]>(findings, all =>
    all.map(({ tone, message, reason }) =>
      createNotice(tone === 'bad' ? 'warning' : 'info', h('p', {}, message), h('p', { class: 'muted' }, reason)),
    ),
  );
  const failure = createErrorNotice();
  const error = createErrorNotice();
  return {
    element: h('div', { class: 'notices' }, state, findings, failure.element, error.element),
    update(run) {
      rebuild(describeState(run));
      rebuildFindings([
        ...diagnoseCurves(run),
        ...(run.pipeline === null ? [] : diagnoseForgetting(run.pipeline.forgetting)),
      ]);
      failure.update(run.status?.error ?? null);
      error.update(run.error);
    },
  };
}

/** One sentence for states that need one. */
export function describeState({
  state,
  status,
}: Pick<RunState, 'state' | 'status'>): { kind: NoticeKind; text: string } | null {
  const step = formatCount(status?.step ?? 0);
  switch (state) {
    case 'queued':
      return {
        kind: 'info',
        text: 'Waiting for another run to free the device. It starts by itself, also when the editor is closed.',
      };
    case 'paused':
      return {
        kind: 'info',
        text: `Paused at step ${step}. Its memory is free; Resume goes on exactly where it stopped.`,
      };
    case 'interrupted':
      return {
        kind: 'warning',
        text: `The training process ended without finishing, last heard of at step ${step}. Resume goes on from the newest checkpoint.`,
      };
    case 'stopped':
      return { kind: 'info', text: `Stopped at step ${step}. The best checkpoint is kept; Resume goes on.` };
    case 'finished':
      return status?.stoppedEarly
        ? {
            kind: 'info',
            text: `Stopped early at step ${step}: the held-out loss no longer fell. The best checkpoint is kept.`,
          }
        : null;
    default:
      return null;
  }
}
