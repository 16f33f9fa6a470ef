/** @file Tasks and a teacher -> each task's answers, one question after the other, kept in a journal as they come. */
import type { ChatMessage } from '../../../shared/inferenceProtocol.ts';
import type { Teacher } from '../../teachers/teacher.ts';
import type { AnswerJournal } from '../distill/answerJournal.ts';
import { type AugmentTask, maxSteps } from './augmentTask.ts';

/** Numbers below are the journal's for what is asked before any task. */
export const firstTaskNumber = 1_000_000;

export type TaskAnswers =
  | { readonly kind: 'answers'; readonly answers: readonly string[] }
  | { readonly kind: 'cut' | 'refused'; readonly reason: string };

interface AskOptions {
  readonly teacher: () => Promise<Teacher>;
  readonly journal: AnswerJournal;
  readonly onAnswer: () => void;
  readonly signal?: AbortSignal | undefined;
}

/** In the tasks' order. What the journal holds is not asked again. @throws TuneError as the teacher; AbortError when cancelled */
export async function askTasks(tasks: readonly AugmentTask[], options: AskOptions): Promise<TaskAnswers[]> {
  const { journal, signal } = options;
  for (let round = 0; round <= maxSteps; round++) {
    const open = tasks.flatMap(task => {
      const found = readAnswers(task, journal);
      if (found.kind !== 'answers') return [];
      const messages = task.next(found.answers);
      return messages === undefined ? [] : [{ row: numberOf(task, found.answers.length), messages }];
    });
    if (open.length === 0) break;
    if (round === maxSteps) throw new Error(`internal: augmentation: expected at most ${maxSteps} questions a task`);
    signal?.throwIfAborted();
    await askAll(open, options);
  }
  return tasks.map(task => readAnswers(task, journal));
}

/** Asks and keeps the outcomes. */
export async function askAll(
  conversations: readonly { readonly row: number; readonly messages: readonly ChatMessage[] }[],
  { teacher, journal, onAnswer, signal }: AskOptions,
): Promise<void> {
  const open = conversations.filter(({ row }) => !journal.outcomes.has(row));
  if (open.length === 0) return;
  const opened = await teacher();
  await opened.answerAll({
    conversations: open,
    onOutcome: (row, outcome) => {
      journal.add(row, outcome);
      onAnswer();
    },
    signal,
  });
}

function readAnswers(task: AugmentTask, journal: AnswerJournal): TaskAnswers {
  const answers: string[] = [];
  for (let step = 0; step < maxSteps; step++) {
    const outcome = journal.outcomes.get(numberOf(task, step));
    if (outcome === undefined) break;
    if (outcome.kind === 'refused') return { kind: 'refused', reason: outcome.reason };
    if (outcome.kind === 'cut') return { kind: 'cut', reason: outcome.text };
    answers.push(outcome.text);
  }
  return { kind: 'answers', answers };
}

/** Questions of these tasks that the journal holds the answers of. */
export function countAnswered(tasks: readonly AugmentTask[], { outcomes }: AnswerJournal): number {
  const steps = Array.from({ length: maxSteps }, (_, step) => step);
  return tasks.reduce((sum, task) => sum + steps.filter(step => outcomes.has(numberOf(task, step))).length, 0);
}

const numberOf = ({ index }: AugmentTask, step: number): number => firstTaskNumber + index * maxSteps + step;
