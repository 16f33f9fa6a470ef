/** @file A language model of the editor as a teacher: the editor is asked, a few conversations at a time. */

import type { Teacher, TeacherOutcome, TeacherRequest } from '../../core/teachers/teacher.ts';
import type { AugmentQuestions } from '../../shared/augmentProtocol.ts';

export type AskEditor = (
  question: AugmentQuestions['teacher/answer']['parameters'],
  signal?: AbortSignal,
) => Promise<AugmentQuestions['teacher/answer']['result']>;

const atOnce = 2;

export class EditorTeacher implements Teacher {
  readonly name: string;
  private readonly id: string;
  private readonly ask: AskEditor;

  constructor(id: string, name: string, ask: AskEditor) {
    this.id = id;
    this.name = name;
    this.ask = ask;
  }

  async answerAll({ conversations, onOutcome, signal }: TeacherRequest): Promise<void> {
    let next = 0;
    let isOver = false;
    const work = async (): Promise<void> => {
      while (!isOver && next < conversations.length) {
        signal?.throwIfAborted();
        const { row, messages } = conversations[next++]!;
        try {
          onOutcome(row, toOutcome(await this.ask({ model: this.id, messages: [...messages] }, signal)));
        } catch (error) {
          isOver = true;
          throw error;
        }
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: atOnce }, work));
    signal?.throwIfAborted();
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  async release(): Promise<void> {
    // The editor keeps its models.
  }
}

function toOutcome(answer: Awaited<ReturnType<AskEditor>>): TeacherOutcome {
  if (answer.kind === 'answer' && answer.text.trim() === '') return { kind: 'refused', reason: 'an empty answer' };
  return answer;
}
