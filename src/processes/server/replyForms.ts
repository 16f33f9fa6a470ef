/** @file Answers as the OpenAI protocol writes them: whole, or in chunks, for chat and for legacy completions. */
import { randomBytes } from 'node:crypto';
import type { TextTokenizer } from '../../core/text/tokenizer.ts';
import type { ChoiceResult, ToldPiece, ToldToken } from './runChoices.ts';

export interface Usage {
  readonly promptTokens: number;
  readonly outputTokens: number;
}

export interface WholeChoice extends ChoiceResult {
  readonly text: string;
  /** Absent where no scores were asked for. */
  readonly tokens: readonly ToldToken[] | undefined;
}

/** One answer's bodies. Chunks have the same id. */
export interface ReplyForm {
  /** Before anything of a choice; undefined: nothing is sent then. */
  first(choice: number): object | undefined;
  piece(choice: number, piece: ToldPiece): object;
  last(choice: number, reason: ChoiceResult['reason']): object;
  usage(usage: Usage): object;
  whole(choices: readonly WholeChoice[], usage: Usage): object;
}

export interface ReplySettings {
  readonly model: string;
  readonly tokenizer: TextTokenizer;
  readonly isScored: boolean;
  /** With usage at the end, every other chunk says that its usage is null. */
  readonly tellsUsage: boolean;
}

export function makeChatForm({ model, tokenizer, isScored, tellsUsage }: ReplySettings): ReplyForm {
  const common = { id: `chatcmpl-${randomBytes(12).toString('hex')}`, created: nowSec(), model };
  const scores = (tokens: readonly ToldToken[] | undefined) =>
    isScored ? { content: (tokens ?? []).map(token => describeToken(tokenizer, token)), refusal: null } : null;
  const chunk = (index: number, delta: object, reason: string | null, tokens?: readonly ToldToken[]) => ({
    ...common,
    object: 'chat.completion.chunk',
    choices: [{ index, delta, logprobs: tokens ? scores(tokens) : null, finish_reason: reason }],
    ...(tellsUsage ? { usage: null } : {}),
  });
  return {
    first: index => chunk(index, { role: 'assistant', content: '' }, null),
    piece: (index, { text, tokens }) => chunk(index, { content: text }, null, tokens),
    last: (index, reason) => chunk(index, {}, reason),
    usage: usage => ({ ...common, object: 'chat.completion.chunk', choices: [], usage: toUsage(usage) }),
    whole: (choices, usage) => ({
      ...common,
      object: 'chat.completion',
      choices: choices.map(({ text, tokens, reason }, index) => ({
        index,
        message: { role: 'assistant', content: text, refusal: null },
        logprobs: scores(tokens),
        finish_reason: reason,
      })),
      usage: toUsage(usage),
    }),
  };
}

export function makeCompletionForm({ model, tokenizer, isScored, tellsUsage }: ReplySettings): ReplyForm {
  const common = { id: `cmpl-${randomBytes(12).toString('hex')}`, object: 'text_completion', created: nowSec(), model };
  const choice = (index: number, text: string, reason: string | null, tokens: readonly ToldToken[] | undefined) => ({
    index,
    text,
    logprobs: isScored ? listScores(tokenizer, tokens ?? []) : null,
    finish_reason: reason,
  });
  const chunk = (...parts: Parameters<typeof choice>) => ({
    ...common,
    choices: [choice(...parts)],
    ...(tellsUsage ? { usage: null } : {}),
  });
  return {
    first: () => undefined,
    piece: (index, { text, tokens }) => chunk(index, text, null, tokens),
    last: (index, reason) => chunk(index, '', reason, []),
    usage: usage => ({ ...common, choices: [], usage: toUsage(usage) }),
    whole: (choices, usage) => ({
      ...common,
      choices: choices.map(({ text, tokens, reason }, index) => choice(index, text, reason, tokens)),
      usage: toUsage(usage),
    }),
  };
}

function toUsage({ promptTokens, outputTokens }: Usage): object {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: outputTokens,
    total_tokens: promptTokens + outputTokens,
  };
}

function describeToken(tokenizer: TextTokenizer, { tokenId, logProbability, likeliest }: ToldToken): object {
  const describe = (id: number, logprob: number | null) => ({
    token: tokenizer.tokenText(id),
    logprob,
    bytes: [...tokenizer.tokenBytes(id)],
  });
  return {
    ...describe(tokenId, logProbability),
    top_logprobs: likeliest.map(other => describe(other.tokenId, other.logProbability)),
  };
}

function listScores(tokenizer: TextTokenizer, tokens: readonly ToldToken[]): object {
  return {
    tokens: tokens.map(({ tokenId }) => tokenizer.tokenText(tokenId)),
    token_logprobs: tokens.map(({ logProbability }) => logProbability),
    top_logprobs: tokens.map(({ likeliest, logProbability }) =>
      logProbability === null
        ? null
        : Object.fromEntries(likeliest.map(other => [tokenizer.tokenText(other.tokenId), other.logProbability])),
    ),
    text_offset: tokens.map(({ textOffset }) => textOffset),
  };
}

const nowSec = () => Math.floor(Date.now() / 1000);
