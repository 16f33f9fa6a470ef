/** @file One row: question, reference, and every candidate's answer with the words marked that differ from the reference. */
import type { OpenedRow } from '../../src/shared/evaluationView.ts';
import type { EvaluationState } from '../../src/shared/pages.ts';
import { diffWords } from '../../src/shared/wordDifferences.ts';
import { createButton } from '../controls/toolkit.ts';
import { createRebuilder, h, setShown, type View } from '../dom/element.ts';

const endNotes = { end: '', length: 'cut at the limit of tokens', refused: 'no answer' };

export function createOpenedRow(onClose: () => void): View<EvaluationState> {
  const place = h('div', { class: 'opened-answers' });
  let shown: number | null = null;
  const rebuild = createRebuilder<Pick<EvaluationState, 'candidates'> & { row: OpenedRow | null }>(place, drawAnswers);
  const close = createButton({ label: 'Close', onClick: onClose });
  const element = h(
    'section',
    { class: 'evaluation-section opened-row', hidden: true, role: 'region', aria: { label: 'Answers of one row' } },
    h('div', { class: 'title-line' }, h('h2', {}, 'Answers'), close.element),
    h(
      'p',
      { class: 'muted' },
      h('del', {}, 'Struck'),
      ' words of the reference are missing from the answer, ',
      h('ins', {}, 'underlined'),
      ' ones are not in the reference.',
    ),
    place,
  );
  return {
    element,
    update({ candidates, rows: { opened } }) {
      const isOther = opened !== null && opened.row !== shown;
      shown = opened?.row ?? null;
      setShown(element, opened !== null);
      rebuild({ candidates, row: opened });
      if (isOther) element.scrollIntoView({ block: 'nearest' });
    },
  };
}

function drawAnswers({
  candidates,
  row,
}: Pick<EvaluationState, 'candidates'> & { row: OpenedRow | null }): HTMLElement[] {
  if (row === null) return [];
  const part = (title: string, ...text: (Node | string)[]) => [
    h('h3', {}, title),
    h('p', { class: 'answer-text' }, ...text),
  ];
  return [
    ...part(`Question, line ${row.line}`, row.question),
    ...part('Reference', row.reference),
    ...candidates.flatMap(({ id, label }) => {
      const answer = row.answers.find(({ candidate }) => candidate === id);
      if (answer === undefined) return part(label, h('span', { class: 'muted' }, 'not answered yet'));
      const note = endNotes[answer.end];
      return part(note === '' ? label : `${label} (${note})`, ...drawDifferences(row.reference, answer.text));
    }),
  ];
}

function drawDifferences(reference: string, answer: string): (Node | string)[] {
  return diffWords(reference, answer).map(({ kind, text }) => {
    if (kind === 'same') return text;
    return h(kind === 'removed' ? 'del' : 'ins', {}, text);
  });
}
