/** @file An example -> its texts by part: what is asked, what is answered, everything; and an example with its texts changed. */
import { type Example, type Message, messagesOf } from '../example.ts';

/** The last question, or '' where nothing is asked. */
export function questionOf(example: Example): string {
  return messagesOf(example).findLast(({ role }) => role === 'user')?.content ?? '';
}

/** The last answer (of a preference the chosen one), or the running text. */
export function answerOf(example: Example): string {
  if (example.kind === 'text') return example.text;
  return messagesOf(example).findLast(({ role }) => role === 'assistant')?.content ?? '';
}

/** Every text in order, the rejected answer included. */
export function textsOf(example: Example): string[] {
  if (example.kind === 'text') return [example.text];
  const rejected = example.kind === 'preference' ? example.rejected : [];
  return [...messagesOf(example), ...rejected].map(({ content }) => content);
}

/** The same example where no text changed, so that `===` tells. */
export function changeTexts(example: Example, change: (text: string) => string): Example {
  if (example.kind === 'text') {
    const text = change(example.text);
    return text === example.text ? example : { ...example, text };
  }
  let isChanged = false;
  const list = (messages: readonly Message[]): Message[] =>
    messages.map(message => {
      const content = change(message.content);
      if (content === message.content) return message;
      isChanged = true;
      return { ...message, content };
    });
  const changed: Example =
    example.kind === 'chat'
      ? { ...example, messages: list(example.messages) }
      : {
          ...example,
          prompt: list(example.prompt),
          chosen: list(example.chosen),
          rejected: list(example.rejected),
        };
  return isChanged ? changed : example;
}
