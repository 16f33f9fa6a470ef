/** @file A prompt -> the chats that base and adapter are asked. */
import type { ChatMessage } from '../../shared/inferenceProtocol.ts';

/** What base and adapter are asked: the held-out row's own chat while its question is unchanged, else the prompt alone. */
export function plainMessages(prompt: string, heldOut: readonly ChatMessage[] | undefined): ChatMessage[] {
  if (heldOut !== undefined && lastQuestion(heldOut) === prompt) return [...heldOut];
  return [{ role: 'user', content: prompt }];
}

export function lastQuestion(messages: readonly ChatMessage[]): string {
  return messages.findLast(m => m.role === 'user')?.content ?? '';
}
