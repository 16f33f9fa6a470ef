/** @file The three answers side by side, growing as they are written, each with what it took and how close it came. */

import { formatLatency } from '../../src/shared/formatDuration.ts';
import type { Answer, CompareState } from '../../src/shared/pages.ts';
import { tokenF1 } from '../../src/shared/tokenF1.ts';
import { createErrorNotice } from '../controls/notice.ts';
import { type BadgeControl, createBadge, createProgressRing } from '../controls/toolkit.ts';
import { h, setAttribute, setShown, setText, type View } from '../dom/element.ts';
import { formatCounted, formatSpeed } from '../format/formatNumber.ts';
import { readReference } from './heldOutStepper.ts';

type Kind = keyof CompareState['answers'];

const columns: readonly { kind: Kind; title: string; subtitle: string }[] = [
  { kind: 'base', title: 'Base', subtitle: 'The model as it came' },
  { kind: 'prompted', title: 'Base with best prompt', subtitle: 'With system text and examples' },
  { kind: 'adapter', title: 'Tuned adapter', subtitle: 'The same model, fine-tuned' },
];

export function createAnswerColumns(): View<CompareState> {
  const views = columns.map(({ kind, title, subtitle }) => ({ kind, view: createColumn(kind, title, subtitle) }));
  const announcement = h('p', { class: 'visually-hidden', role: 'status' });
  return {
    element: h(
      'section',
      { class: 'answers', aria: { label: 'Answers' } },
      ...views.map(v => v.view.element),
      announcement,
    ),
    update(state) {
      const reference = readReference(state);
      for (const { kind, view } of views)
        view.update({ answer: state.answers[kind], reference, isWaiting: state.running });
      // Screen readers hear of the end, not of every word.
      setText(announcement, describeProgress(state));
    },
  };
}

interface ColumnState {
  answer: Answer;
  reference: string | null;
  /** Some answer is being written. */
  isWaiting: boolean;
}

function createColumn(kind: Kind, title: string, subtitle: string): View<ColumnState> {
  const ring = createProgressRing();
  const badge: BadgeControl = createBadge();
  badge.element.title = 'Word overlap with the reference answer (F1, 0 to 1)';
  const text = h('div', { class: 'answer-text' });
  const placeholder = h('p', { class: 'muted answer-placeholder' });
  const error = createErrorNotice();
  const stats = h('p', { class: 'answer-stats muted figures' });
  return {
    element: h(
      'article',
      { class: 'answer', data: { answer: kind }, aria: { label: title } },
      h('div', { class: 'answer-head' }, h('h2', {}, title), ring, badge.element),
      h('p', { class: 'muted' }, subtitle),
      h('div', { class: 'answer-body' }, text, placeholder, error.element),
      stats,
    ),
    update({ answer, reference, isWaiting }) {
      setText(text, answer.text);
      setAttribute(text, 'aria-busy', String(answer.running));
      ring.style.visibility = answer.running ? 'visible' : 'hidden';
      setText(placeholder, describeEmpty(answer, isWaiting));
      setShown(placeholder, answer.text === '' && answer.error === null);
      error.update(answer.error);
      const isDone = !answer.running && answer.stats !== null && answer.stats.stopReason !== 'cancelled';
      badge.setText(isDone && reference !== null ? `F1 ${tokenF1(answer.text, reference).toFixed(2)}` : '');
      setText(stats, describeStats(answer));
    },
  };
}

function describeEmpty({ running, stats }: Answer, isWaiting: boolean): string {
  if (running) return 'Reading the prompt…';
  if (stats !== null)
    return stats.stopReason === 'cancelled' ? 'Cancelled before the first word.' : 'The model said nothing.';
  return isWaiting ? 'Waiting for its turn…' : 'No answer yet.';
}

function describeStats({ stats }: Answer): string {
  if (stats === null) return '';
  if (stats.outputTokens === 0) return stats.stopReason === 'cancelled' ? 'cancelled' : 'no tokens';
  const parts = [
    `first token ${formatLatency(stats.firstTokenMs)}`,
    `${formatSpeed(stats.tokensPerSecond)} tokens/s`,
    formatCounted(stats.outputTokens, 'token'),
    `prompt ${formatCounted(stats.promptTokens, 'token')}`,
  ];
  if (stats.stopReason === 'length') parts.push('cut at the limit');
  if (stats.stopReason === 'cancelled') parts.push('cancelled');
  return parts.join(' · ');
}

function describeProgress({ running, answers }: CompareState): string {
  if (running) return 'Answers are being written.';
  const done = Object.values(answers).filter(answer => answer.stats !== null).length;
  return done === 0 ? '' : `${done} of 3 answers are there.`;
}
