/**
 * @file A row with a chosen and a rejected answer -> the prompt of both and how each goes on. The answers are texts or
 * lists of messages; lists may hold the whole conversation, as many published sets do: what they share is the prompt then.
 */
import type { Message } from '../example.ts';
import { readOptional, readTurns } from './readFields.ts';
import type { Fields, RowReport } from './rowReport.ts';

export interface PreferencePair {
  /** System text and turns before the answers. */
  readonly prompt: readonly Message[];
  readonly chosen: readonly Message[];
  readonly rejected: readonly Message[];
}

/** Undefined after reporting what is wrong. */
export function mapPreference(
  row: Fields,
  fields: Readonly<Record<string, string>>,
  report: RowReport,
): PreferencePair | undefined {
  const chosen = readTurns(row, fields.chosen!, 'assistant', report);
  const rejected = readTurns(row, fields.rejected!, 'assistant', report);
  const system = readOptional(row, fields.system, report);
  if (chosen === undefined || rejected === undefined) return undefined;
  const pair = isWhole(chosen) && isWhole(rejected) ? splitShared(chosen, rejected) : readPrompt(row, fields, report);
  if (pair === undefined) return undefined;
  const systemTurns: Message[] = system === undefined ? [] : [{ role: 'system', content: system }];
  const whole = { chosen, rejected, ...pair, prompt: [...systemTurns, ...pair.prompt] };
  return checkPair(whole, fields, report) ? whole : undefined;
}

/** Whether a list is a conversation from its start, not only the answer. */
function isWhole([first]: readonly Message[]): boolean {
  return first!.role !== 'assistant';
}

/** The turns that both begin with, and what each goes on with. */
function splitShared(chosen: readonly Message[], rejected: readonly Message[]): PreferencePair {
  const isShared = (message: Message, at: number): boolean =>
    rejected[at]?.role === message.role && rejected[at].content === message.content;
  const differs = chosen.findIndex((message, at) => !isShared(message, at));
  const shared = differs < 0 ? chosen.length : differs;
  return { prompt: chosen.slice(0, shared), chosen: chosen.slice(shared), rejected: rejected.slice(shared) };
}

function readPrompt(
  row: Fields,
  fields: Readonly<Record<string, string>>,
  report: RowReport,
): Pick<PreferencePair, 'prompt'> | undefined {
  const prompt = readTurns(row, fields.prompt ?? 'prompt', 'user', report);
  const input = readOptional(row, fields.input, report);
  const last = prompt?.at(-1);
  if (prompt === undefined || last === undefined || input === undefined) return prompt && { prompt };
  return { prompt: [...prompt.slice(0, -1), { ...last, content: `${last.content}\n\n${input}` }] };
}

function checkPair(
  { prompt, chosen, rejected }: PreferencePair,
  fields: Readonly<Record<string, string>>,
  report: RowReport,
): boolean {
  if (JSON.stringify(chosen) === JSON.stringify(rejected)) {
    report.error(
      'pair-equal',
      `expected "${fields.chosen}" and "${fields.rejected}" to differ, got the same answer twice`,
      'Delete the row: there is nothing to prefer in it.',
    );
    return false;
  }
  if (!prompt.some(({ role }) => role === 'user')) {
    report.error(
      'prompt-missing',
      'expected a question before the two answers, got none',
      'Add the prompt that both answer, as text or messages.',
    );
    return false;
  }
  for (const [slot, turns] of Object.entries({ chosen, rejected })) {
    const [first, last] = [turns[0], turns.at(-1)];
    if (first?.role === 'assistant' && last?.role === 'assistant' && last.content.trim() !== '') continue;
    report.error(
      'assistant-missing',
      `expected "${fields[slot]}" to go on with the assistant's answer, got ${first ? `role "${first.role}"` : 'nothing'}`,
      `Write "${fields[slot]}" as the answer to the prompt.`,
    );
    return false;
  }
  return true;
}
