/**
 * @file Examples -> rows of token ids with the mask of what is to be learned. Chats are supervised on what the assistant
 * says with its end-of-turn token (`trainOn: 'assistant'`) or on everything; plain texts on everything, with an end token
 * behind them. A row begins with exactly one BOS where the model wants one. Rows longer than the context are cut on the
 * right and rows with nothing left to learn are dropped: both are counted in the report, never silent.
 */

import { TuneError } from '../../shared/errors.ts';
import { type Example, type Message, messagesOf, type Origin } from '../data/example.ts';
import type { ChatTemplate } from './chatTemplate.ts';
import type { Span } from './compileTemplate.ts';
import { encodeSpans } from './encodeSpans.ts';
import type { EncodedRow } from './packedBatch.ts';
import type { TextTokenizer } from './tokenizer.ts';

export interface EncodeSettings {
  readonly tokenizer: TextTokenizer;
  readonly template: ChatTemplate;
  readonly contextTokens: number;
  readonly trainOn: 'assistant' | 'all';
}

export type DropReason =
  /** No assistant says anything, or the text is empty. */
  | 'nothing-to-learn'
  /** What is to be learned stands behind the cut. */
  | 'cut-away';

export interface EncodedExample {
  /** Null when nothing is left to learn. */
  readonly row: EncodedRow | null;
  readonly dropped: DropReason | null;
  /** Tokens before the cut. */
  readonly wholeTokens: number;
  readonly facts: RowFacts;
}

/** What the checks before a run look at. */
export interface RowFacts {
  readonly startsWithTwoBos: boolean;
  /** Whether a supervised token that is left ends generation. */
  readonly learnsEnd: boolean;
  /** Whether a message holds the text of a special token. */
  readonly hasControlText: boolean;
  /** Whether the template leaves a system message out of the text. */
  readonly dropsSystem: boolean;
}

/** @throws TuneError `dataset-invalid` with file and line when the template refuses the conversation. */
export function encodeExample(example: Example, index: number, settings: EncodeSettings): EncodedExample {
  const messages = messagesOf(example);
  const encoded =
    example.kind === 'text'
      ? encodeText(example.text, settings.tokenizer)
      : encodeChat(messages, example.origin, settings, example.kind === 'preference' ? example.chosen : undefined);
  return finishRow(encoded, messages, index, settings);
}

/** Prompt and answer of a preference; only the answer is supervised, whatever the prompt's turns. @throws as encodeExample */
export function encodeAnswer(
  { prompt, origin }: Extract<Example, { kind: 'preference' }>,
  answer: readonly Message[],
  index: number,
  settings: EncodeSettings,
): EncodedExample {
  const messages = [...prompt, ...answer];
  return finishRow(encodeChat(messages, origin, settings, answer), messages, index, settings);
}

function finishRow(
  { ids, mask, dropsSystem }: Encoded,
  messages: readonly Message[],
  index: number,
  { tokenizer, contextTokens }: EncodeSettings,
): EncodedExample {
  if (tokenizer.addsBos && tokenizer.bosTokenId !== null && ids[0] !== tokenizer.bosTokenId) {
    ids.unshift(tokenizer.bosTokenId);
    mask.unshift(0);
  }
  if (mask.length > 0) mask[0] = 0;

  const kept = Math.min(ids.length, contextTokens);
  const supervised = Uint8Array.from(mask.slice(0, kept));
  const facts: RowFacts = {
    startsWithTwoBos: tokenizer.bosTokenId !== null && ids[0] === tokenizer.bosTokenId && ids[1] === ids[0],
    learnsEnd: supervised.some((one, i) => one === 1 && tokenizer.eosTokenIds.includes(ids[i]!)),
    hasControlText: hasControlText(messages, tokenizer),
    dropsSystem,
  };
  const dropped = supervised.includes(1) ? null : mask.includes(1) ? 'cut-away' : 'nothing-to-learn';
  const row = dropped ? null : { row: index, tokenIds: Int32Array.from(ids.slice(0, kept)), supervised };
  return { row, dropped, wholeTokens: ids.length, facts };
}

interface Encoded {
  readonly ids: number[];
  readonly mask: number[];
  readonly dropsSystem: boolean;
}

/** @param answer the turns at the end that alone are supervised; without it `trainOn` decides */
function encodeChat(
  messages: readonly Message[],
  origin: Origin,
  { tokenizer, template, trainOn }: EncodeSettings,
  answer?: readonly Message[],
): Encoded {
  const { text, assistant } = template.render(messages, origin);
  const turns = answer?.filter(({ role }) => role === 'assistant').length;
  const spans = turns === undefined ? leaveOut(assistant, messages, origin) : assistant.slice(-turns);
  const { tokenIds, inSpan } = encodeSpans(tokenizer, text, spans);
  const system = messages.find(message => message.role === 'system')?.content.trim() ?? '';
  return {
    ids: tokenIds,
    mask:
      trainOn === 'all' && turns === undefined && spans.length === assistant.length
        ? tokenIds.map(() => 1)
        : [...inSpan],
    dropsSystem: !text.includes(system),
  };
}

/** The spans without those of answers that are shown but not learned. */
function leaveOut(spans: readonly Span[], messages: readonly Message[], origin: Origin): readonly Span[] {
  const answers = messages.filter(({ role }) => role === 'assistant');
  if (answers.every(({ isTrained }) => isTrained !== false)) return spans;
  if (answers.length === spans.length) return spans.filter((_, i) => answers[i]!.isTrained !== false);
  throw new TuneError(
    'dataset-invalid',
    `${origin.file}:${origin.line}: expected a chat template that writes every answer, got ${spans.length} of ${answers.length}`,
    {
      ...origin,
      hint: 'Answers with "weight": 0 cannot be told apart with this model: split the row or leave them out.',
    },
  );
}

function encodeText(text: string, tokenizer: TextTokenizer): Encoded {
  const ids = tokenizer.encode(text);
  const end = tokenizer.eosTokenIds[0];
  if (ids.length > 0 && end !== undefined && !tokenizer.eosTokenIds.includes(ids.at(-1)!)) ids.push(end);
  return { ids, mask: ids.map(() => 1), dropsSystem: false };
}

function hasControlText(messages: readonly { readonly content: string }[], tokenizer: TextTokenizer): boolean {
  for (const token of tokenizer.specialTokens.keys()) {
    if (messages.some(message => message.content.includes(token))) return true;
  }
  return false;
}
