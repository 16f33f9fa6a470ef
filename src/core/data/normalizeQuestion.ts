/** @file An example -> the text by which two rows count as the same question. */
import { type Example, type Message, messagesOf } from './example.ts';

/** NFKC, lower case, punctuation and white space folded: `"What is  Rust?"` and `"what is rust"` become equal. */
export function normalizeText(text: string): string {
  const folded = text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\p{P}\p{Z}\p{C}]+/gu, ' ')
    .trim();
  // A question of nothing but punctuation still differs from another.
  return folded === '' ? text.trim() : folded;
}

/**
 * The normalised first user message, or all of the text where there is none (running text, a lone assistant message).
 * Conversations that begin alike are one question, so that no beginning is trained on and asked again.
 */
export function questionKey(example: Example): string {
  if (example.kind === 'text') return normalizeText(example.text);
  const messages = messagesOf(example);
  const first = messages.find(message => message.role === 'user');
  return normalizeText(first?.content ?? messages.map(message => message.content).join('\n'));
}

/** Equal for two examples that are the same in every role and character. */
export function contentKey(example: Example): string {
  if (example.kind === 'text') return JSON.stringify(example.text);
  const list = (messages: readonly Message[]) =>
    messages.map(({ role, content, isTrained }) => (isTrained === false ? [role, content, 0] : [role, content]));
  if (example.kind === 'chat') return JSON.stringify(list(example.messages));
  return JSON.stringify([list(example.prompt), list(example.chosen), list(example.rejected)]);
}
