/** @file Messages of the editor's chat -> the conversation that a model of ours is asked. */
import { TuneError } from '../../shared/errors.ts';
import type { ChatMessage } from '../../shared/inferenceProtocol.ts';

/** A message as far as it matters here; the editor's own classes stay outside. */
export interface AskedMessage {
  readonly role: 'user' | 'assistant' | 'system';
  /** Undefined for a part that is no text. */
  readonly parts: readonly (string | undefined)[];
}

/**
 * Neighbours of one role become one message: the editor sends what it adds as messages of their own, and chat templates
 * want the roles to alternate. @throws TuneError `usage` for parts that are no text, or no question at all
 */
export function toConversation(asked: readonly AskedMessage[]): ChatMessage[] {
  const messages: ChatMessage[] = [];
  for (const { role, parts } of asked) {
    const texts = parts.filter(part => part !== undefined);
    if (texts.length < parts.length) {
      throw new TuneError('usage', 'chat: expected text alone, got a tool call, a tool result or an image', {
        hint: 'Models tuned here answer text with text: choose another model for tools and images.',
      });
    }
    const content = texts.join('');
    const before = messages.at(-1);
    if (content === '') continue;
    if (before?.role === role) before.content += `\n\n${content}`;
    else messages.push({ role, content });
  }
  if (messages.some(({ role }) => role === 'user')) return messages;
  throw new TuneError('usage', 'chat: expected a question, got none');
}
