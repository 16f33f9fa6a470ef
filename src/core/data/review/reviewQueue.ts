/** @file A dataset and the review beside it -> rows in one state, a page at a time; and a decision from the editor -> the file. */

import { TuneError } from '../../../shared/errors.ts';
import type { QueuedRow, ReviewDecision, ReviewedRow, ReviewPage, ReviewStateName } from '../../../shared/review.ts';
import { type Example, type Message, messagesOf } from '../example.ts';
import type { Dataset } from '../readDataset.ts';
import { addDecisions, readReview, reviewPath } from './reviewFile.ts';
import { ReviewStates, rowKey, toExample } from './reviewRows.ts';

export interface PageRequest {
  readonly state: ReviewStateName;
  readonly offset: number;
  readonly limit: number;
}

/** Edited rows as they were edited. @throws TuneError as readReview */
export function listQueue({ file, examples }: Dataset, { state, offset, limit }: PageRequest): ReviewPage {
  const states = new ReviewStates(readReview(reviewPath(file)));
  const keys = examples.map(rowKey);
  const wanted = examples.flatMap((_, row) => ((states.find(keys[row]!).decision ?? 'pending') === state ? [row] : []));
  const from = Math.max(0, Math.min(offset, wanted.length - 1));
  const rows = wanted.slice(from, from + limit).map((row): QueuedRow => {
    const example = examples[row]!;
    const { line } = states.find(keys[row]!);
    const shown = line?.edited === undefined ? example : toExample(line.edited, example.origin);
    return {
      key: keys[row]!,
      ...example.origin,
      state,
      reviewer: line?.reviewer ?? '',
      note: line?.note ?? '',
      messages: showMessages(shown),
    };
  });
  return { counts: states.count(keys), state, offset: from, total: wanted.length, rows };
}

export interface QueueDecision {
  readonly key: string;
  readonly decision: ReviewDecision;
  readonly reviewer: string;
  readonly note: string;
  /** With `edit`: what the last answer, or the text, becomes. */
  readonly answer: string | null;
}

/** @throws TuneError `usage` for a row that is not there, or an edit without an answer; as addDecisions */
export function decideRow(
  { file, examples }: Dataset,
  { key, decision, reviewer, note, answer }: QueueDecision,
  at: string,
): void {
  const example = examples.find(one => rowKey(one) === key);
  if (example === undefined) throw new TuneError('usage', `${file}: expected a row of the dataset, got ${key}`);
  if (decision === 'edit' && (answer === null || answer.trim() === '')) {
    throw new TuneError('usage', `${file}:${example.origin.line}: expected an answer, got an empty one`, {
      hint: 'Reject the row if it has no good answer.',
    });
  }
  const edited = decision === 'edit' ? { edited: withAnswer(example, answer!) } : {};
  addDecisions(reviewPath(file), [{ row: key, at, decision, reviewer, ...(note === '' ? {} : { note }), ...edited }]);
}

function showMessages(example: Example): QueuedRow['messages'] {
  if (example.kind === 'text') return [{ role: 'text', content: example.text }];
  const shown = messagesOf(example).map(({ role, content }) => ({ role: role as string, content }));
  if (example.kind === 'preference')
    shown.push(...example.rejected.map(({ content }) => ({ role: 'rejected', content })));
  return shown;
}

function withAnswer(example: Example, answer: string): ReviewedRow {
  const list = (messages: readonly Message[]) =>
    messages.map(({ role, content, isTrained }) =>
      isTrained === false ? { role, content, weight: 0 as const } : { role, content },
    );
  const replaceLast = (messages: readonly Message[]): Message[] => {
    const last = messages.findLastIndex(({ role }) => role === 'assistant');
    return messages.map((message, i) => (i === last ? { ...message, content: answer } : message));
  };
  switch (example.kind) {
    case 'text':
      return { text: answer };
    case 'chat':
      return { messages: list(replaceLast(example.messages)) };
    case 'preference':
      return {
        prompt: list(example.prompt),
        chosen: list(replaceLast(example.chosen)),
        rejected: list(example.rejected),
      };
  }
}
