/** @file The order of a conversation's roles -> what chat templates refuse in it, and the conversation mended. */
import type { Example, Message } from '../example.ts';

/** What is wrong, in words, or undefined. System first, then user and assistant in turn; tools answer the assistant. */
export function findRoleProblem(messages: readonly Message[]): string | undefined {
  const misplaced = messages.findIndex(({ role }, i) => role === 'system' && i > 0);
  if (misplaced >= 0) return `a system message at place ${misplaced + 1}`;
  const turns = messages.filter(({ role }) => role !== 'system');
  if (turns[0] !== undefined && turns[0].role !== 'user') return `${turns[0].role} speaking first`;
  for (const [i, { role }] of turns.entries()) {
    const before = turns[i - 1]?.role;
    if (before === role && role !== 'tool') return `two messages of role ${role} in a row`;
    if (before === 'user' && role === 'tool') return 'a tool answering the user';
  }
  return undefined;
}

/** Neighbours of one role joined, system texts at the start, nothing before the first question. Undefined when no question is left. */
export function mendRoles(example: Example): Example | undefined {
  if (example.kind !== 'chat' || findRoleProblem(example.messages) === undefined) return example;
  const system = example.messages.filter(({ role }) => role === 'system').map(({ content }) => content);
  const turns = example.messages.filter(({ role }) => role !== 'system');
  const first = turns.findIndex(({ role }) => role === 'user');
  if (first < 0) return undefined;
  const messages: Message[] = system.length > 0 ? [{ role: 'system', content: system.join('\n\n') }] : [];
  for (const turn of turns.slice(first)) {
    const before = messages.at(-1);
    if (before?.role === turn.role && turn.role !== 'tool') {
      messages[messages.length - 1] = { ...before, content: `${before.content}\n\n${turn.content}` };
    } else if (turn.role === 'tool' && before?.role === 'user') continue;
    else messages.push(turn);
  }
  return messages.at(-1)?.role === 'assistant' ? { ...example, messages } : undefined;
}
