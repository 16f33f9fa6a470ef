/** @file The body of `/v1/completions` -> texts or tokens to go on from, and how. */
import { z } from 'zod';
import type { TextTokenizer } from '../../core/text/tokenizer.ts';
import { refuseParameter } from './apiError.ts';
import {
  type AskedDecoding,
  answerShape,
  parseBody,
  readDecoding,
  refusedShape,
  refuseUnsupported,
  unsupported,
} from './askedAnswer.ts';

const tokens = z.array(z.number().int().min(0)).min(1);
const maxPrompts = 128;

const bodySchema = z.object({
  ...answerShape,
  ...refusedShape,
  prompt: z.union([
    z.string(),
    z.array(z.string()).min(1).max(maxPrompts),
    tokens,
    z.array(tokens).min(1).max(maxPrompts),
  ]),
  max_tokens: z.number().int().min(0).nullish(),
  echo: z.boolean().nullish(),
  logprobs: z.number().int().min(0).max(5).nullish(),
  suffix: z.string().nullish(),
  best_of: z.number().int().min(1).nullish(),
});

/** What the protocol gives requests that name no limit. */
const defaultMaxTokens = 16;

export interface CompletionRequest extends AskedDecoding {
  readonly model: string;
  readonly prompts: readonly (string | readonly number[])[];
  readonly maxTokens: number;
  readonly echoes: boolean;
  readonly scored: number | undefined;
}

/** @throws ApiError 400 */
export function readCompletionRequest(body: unknown, defaultTemperature: number): CompletionRequest {
  const asked = parseBody(bodySchema, body);
  refuseUnsupported(asked);
  if ((asked.suffix ?? '') !== '') throw unsupported('suffix', 'expected none, got some');
  if ((asked.best_of ?? 1) > (asked.n ?? 1)) throw unsupported('best_of', 'expected no more than n');
  const { prompt } = asked;
  return {
    ...readDecoding(asked, defaultTemperature),
    model: asked.model,
    prompts:
      typeof prompt === 'string' || typeof prompt[0] === 'number'
        ? [prompt as string | number[]]
        : (prompt as (string | number[])[]),
    maxTokens: asked.max_tokens ?? defaultMaxTokens,
    echoes: asked.echo ?? false,
    scored: asked.logprobs ?? undefined,
  };
}

/** The prompt's tokens, behind BOS where the model's texts begin with it. @throws ApiError 400 */
export function encodeCompletionPrompt(
  prompt: string | readonly number[],
  { addsBos, bosTokenId, encode }: TextTokenizer,
  vocabularySize: number,
): number[] {
  const ids = typeof prompt === 'string' ? encode(prompt) : [...prompt];
  const unknown = ids.find(id => id >= vocabularySize);
  if (unknown !== undefined) {
    throw refuseParameter('prompt', `expected tokens below ${vocabularySize}, got ${unknown}.`, 'invalid_value');
  }
  const isText = typeof prompt === 'string';
  const all = isText && addsBos && bosTokenId !== null && ids[0] !== bosTokenId ? [bosTokenId, ...ids] : ids;
  if (all.length === 0) throw refuseParameter('prompt', 'expected at least one token, got none.', 'invalid_value');
  return all;
}
