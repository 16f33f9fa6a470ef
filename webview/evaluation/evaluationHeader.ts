/** @file The evaluation's name, its honest state, how far it is, and what its figures mean. */
import type { EvaluationState } from '../../src/shared/pages.ts';
import { createMeter } from '../controls/meter.ts';
import { createErrorNotice, createNotice } from '../controls/notice.ts';
import { createRebuilder, h, setAttribute, setCutText, setShown, setText, type View } from '../dom/element.ts';
import { formatCount } from '../format/formatNumber.ts';
import { stateLabels } from '../run/stateLabels.ts';

export function createEvaluationHeader(): View<EvaluationState> {
  const name = h('h1', { class: 'cut' });
  const stateText = h('span');
  const badge = h('span', { class: 'state-badge', role: 'status' }, h('span', { class: 'state-dot' }), stateText);
  const origin = h('p', { class: 'muted cut' });
  const meter = createMeter('progressbar', 'Progress');
  const progress = h('p', { class: 'figures progress-text' });
  const bar = h('div', { class: 'progress' }, meter.element, progress);
  const failure = createErrorNotice();
  const error = createErrorNotice();
  const findings = h('div', { class: 'findings' });
  const rebuild = createRebuilder<NonNullable<EvaluationState['result']>['findings']>(findings, all =>
    all.map(({ tone, message, reason }) =>
      createNotice(tone === 'bad' ? 'warning' : 'info', h('p', {}, message), h('p', { class: 'muted' }, reason)),
    ),
  );
  return {
    element: h(
      'header',
      { class: 'run-header' },
      h('div', { class: 'title-line' }, name, badge),
      origin,
      bar,
      failure.element,
      error.element,
      findings,
    ),
    update(state) {
      setCutText(name, state.name);
      setText(stateText, stateLabels[state.state]);
      setAttribute(badge, 'data-state', state.state);
      setCutText(origin, describeOrigin(state));
      const { value, max, text } = describeProgress(state);
      meter.update({ value, max, text, tone: 'normal' });
      setText(progress, text);
      setShown(bar, state.state !== 'finished');
      failure.update(state.status?.error ?? null);
      error.update(state.error);
      rebuild(state.result?.findings ?? []);
    },
  };
}

function describeOrigin({ model, rowCount, candidates, id }: EvaluationState): string {
  const rows = rowCount === null ? '' : ` · ${formatCount(rowCount)} rows`;
  return `Evaluation · ${model.split(/[\\/]/).at(-1)}${rows} · ${candidates.length} candidates · ${id}`;
}

function describeProgress({ status }: EvaluationState): { value: number; max: number; text: string } {
  if (status === null) return { value: 0, max: 1, text: 'Not started yet' };
  const { phase, step, totalSteps } = status;
  if (phase === null) return { value: step, max: Math.max(1, totalSteps), text: `Step ${step} of ${totalSteps}` };
  const text = `${phase.name.charAt(0).toUpperCase()}${phase.name.slice(1)} ${formatCount(phase.done)}/${formatCount(phase.total)}`;
  return { value: phase.done, max: phase.total, text };
}
