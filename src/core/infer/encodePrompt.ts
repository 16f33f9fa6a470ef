/**
 * @file A conversation -> the tokens after which the assistant speaks, by the template that training used: same text, one
 * BOS where the model wants one.
 */
import { TuneError } from '../../shared/errors.ts';
import type { ChatMessage } from '../../shared/inferenceProtocol.ts';
import type { Message, Origin } from '../data/example.ts';
import type { ChatTemplate } from '../text/chatTemplate.ts';
import type { TextTokenizer } from '../text/tokenizer.ts';

export interface PromptEncoder {
  readonly tokenizer: TextTokenizer;
  readonly template: ChatTemplate;
}

/** @throws TuneError `dataset-invalid` when the template refuses the conversation */
export function encodePrompt(
  { tokenizer, template }: PromptEncoder,
  messages: readonly Message[],
  origin?: Origin,
): number[] {
  const ids = tokenizer.encode(renderPrompt(template, messages, origin));
  const { addsBos, bosTokenId } = tokenizer;
  return addsBos && bosTokenId !== null && ids[0] !== bosTokenId ? [bosTokenId, ...ids] : ids;
}

/** A template that refuses system messages gets the system's text at the start of the first question instead. */
function renderPrompt(template: ChatTemplate, messages: readonly Message[], origin: Origin | undefined): string {
  try {
    return template.renderPrompt(messages, origin);
  } catch (error) {
    const isRefusal = error instanceof TuneError && error.code === 'dataset-invalid';
    const folded = foldSystem(messages);
    if (!isRefusal || folded === undefined) throw error;
    return template.renderPrompt(folded, origin);
  }
}

function foldSystem([first, second, ...rest]: readonly Message[]): Message[] | undefined {
  if (first?.role !== 'system' || second?.role !== 'user') return undefined;
  return [{ role: 'user', content: `${first.content}\n\n${second.content}` }, ...rest];
}

/**
 * How many tokens the answer may have: what was asked for, or what the context leaves.
 * @throws TuneError `usage` when the prompt leaves no room for an answer
 */
export function limitAnswer(promptTokens: number, maxTokens: number, contextTokens: number): number {
  if (promptTokens < contextTokens) return Math.min(maxTokens, contextTokens - promptTokens);
  throw new TuneError(
    'usage',
    `prompt: expected fewer tokens than the model's context of ${contextTokens}, got ${promptTokens}`,
    { hint: 'Shorten the question or the system text, or use fewer examples.' },
  );
}

/** A question alone, with a system text if there is one. */
export function askQuestion(question: string, system?: string): ChatMessage[] {
  const asked: ChatMessage = { role: 'user', content: question };
  return system === undefined || system === '' ? [asked] : [{ role: 'system', content: system }, asked];
}
