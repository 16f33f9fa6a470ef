/** @file A prompt -> the chats that the three answers are made from. */
import type { BestPrompt, ChatMessage } from '../../shared/inferenceProtocol.ts';

/** What base and adapter are asked: the held-out row's own chat while its question is unchanged, else the prompt alone. */
export function plainMessages(prompt: string, heldOut: readonly ChatMessage[] | undefined): ChatMessage[] {
  if (heldOut !== undefined && lastQuestion(heldOut) === prompt) return [...heldOut];
  return [{ role: 'user', content: prompt }];
}

/** The same question behind the best prompt's system text and examples, which take the place of the row's own system text. */
export function promptedMessages(messages: readonly ChatMessage[], best: BestPrompt): ChatMessage[] {
  const system = best.system.trim() === '' ? messages.filter(m => m.role === 'system') : [systemMessage(best.system)];
  const examples = best.examples.flatMap(({ question, answer }): ChatMessage[] => [
    { role: 'user', content: question },
    { role: 'assistant', content: answer },
  ]);
  return [...system, ...examples, ...messages.filter(m => m.role !== 'system')];
}

export function lastQuestion(messages: readonly ChatMessage[]): string {
  return messages.findLast(m => m.role === 'user')?.content ?? '';
}

function systemMessage(content: string): ChatMessage {
  return { role: 'system', content };
}
