/** @file A row of a dataset -> what is asked and the answer to measure against. */
import type { ChatMessage } from '../../shared/inferenceProtocol.ts';
import { type Example, type Message, messagesOf, type Origin } from '../data/example.ts';

export interface AskedQuestion {
  readonly origin: Origin;
  /** Everything before the last answer; ends with a question. */
  readonly messages: readonly ChatMessage[];
  /** The right answer, where there is one to measure against. */
  readonly reference?: string;
}

export interface AnsweredQuestion extends AskedQuestion {
  readonly reference: string;
}

/** Undefined where nothing is asked or answered: running text, conversations with tools. Of a preference the chosen answer counts. */
export function toAnsweredQuestion(example: Example): AnsweredQuestion | undefined {
  const messages = messagesOf(example);
  const { origin } = example;
  const last = messages.findLastIndex(({ role }) => role === 'assistant');
  const before = messages.slice(0, Math.max(last, 0));
  if (before.at(-1)?.role !== 'user' || !before.every(isChatMessage)) return undefined;
  return { origin, messages: before, reference: messages[last]!.content };
}

function isChatMessage(message: Message): message is ChatMessage {
  return message.role !== 'tool';
}

/** The last question alone. */
export function lastQuestion({ messages }: Pick<AskedQuestion, 'messages'>): string {
  return messages.at(-1)?.content ?? '';
}

/** Whether nothing was said before the question but a system text. */
export function isSingleTurn({ messages }: AnsweredQuestion): boolean {
  return messages.filter(({ role }) => role !== 'system').length === 1;
}
