/** @file Role names as chat files write them -> the four roles that templates know. */
import type { Role } from '../example.ts';

const aliases: ReadonlyMap<string, Role> = new Map([
  ['system', 'system'],
  ['developer', 'system'],
  ['user', 'user'],
  ['human', 'user'],
  ['prompter', 'user'],
  ['customer', 'user'],
  ['assistant', 'assistant'],
  ['gpt', 'assistant'],
  ['chatgpt', 'assistant'],
  ['bard', 'assistant'],
  ['bing', 'assistant'],
  ['bot', 'assistant'],
  ['model', 'assistant'],
  ['ai', 'assistant'],
  ['function_call', 'assistant'],
  ['tool', 'tool'],
  ['function', 'tool'],
  ['function_response', 'tool'],
  ['observation', 'tool'],
]);

export const knownRoleNames = 'system, user (human), assistant (gpt) or tool';

/** The role a name stands for, or undefined for a name that is not one. */
export function toRole(name: string): Role | undefined {
  return aliases.get(name.trim().toLowerCase());
}
