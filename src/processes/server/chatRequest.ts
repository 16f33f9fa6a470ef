/** @file The body of `/v1/chat/completions` -> the conversation and how it is to be answered. */
import { z } from 'zod';
import type { Message } from '../../core/data/example.ts';
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

const part = z.object({ type: z.string(), text: z.string().nullish(), refusal: z.string().nullish() });
const messageSchema = z.object({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
  content: z.union([z.string(), z.array(part)]).nullish(),
  tool_calls: z.array(z.unknown()).nullish(),
  function_call: z.unknown().optional(),
});

const bodySchema = z.object({
  ...answerShape,
  ...refusedShape,
  messages: z.array(messageSchema).min(1),
  max_tokens: z.number().int().min(1).nullish(),
  max_completion_tokens: z.number().int().min(1).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.number().int().min(0).max(20).nullish(),
  tools: z.array(z.unknown()).nullish(),
  functions: z.array(z.unknown()).nullish(),
  tool_choice: z.unknown().optional(),
  function_call: z.unknown().optional(),
  response_format: z.object({ type: z.string() }).nullish(),
  modalities: z.array(z.string()).nullish(),
  audio: z.unknown().optional(),
});

export interface ChatRequest extends AskedDecoding {
  readonly model: string;
  readonly messages: readonly Message[];
  /** Absent: as the server is set. */
  readonly maxTokens: number | undefined;
  /** Likeliest tokens beside each token's score; absent: no scores. */
  readonly scored: number | undefined;
}

/** @throws ApiError 400 */
export function readChatRequest(body: unknown, defaultTemperature: number): ChatRequest {
  const asked = parseBody(bodySchema, body);
  refuseUnsupported(asked);
  refuseTools(asked);
  if ((asked.top_logprobs ?? 0) > 0 && asked.logprobs !== true) {
    throw refuseParameter('top_logprobs', 'expected logprobs to be true beside it.', 'invalid_value');
  }
  return {
    ...readDecoding(asked, defaultTemperature),
    model: asked.model,
    messages: asked.messages.map(toMessage),
    maxTokens: asked.max_completion_tokens ?? asked.max_tokens ?? undefined,
    scored: asked.logprobs === true ? (asked.top_logprobs ?? 0) : undefined,
  };
}

function refuseTools(asked: z.infer<typeof bodySchema>): void {
  for (const name of ['tools', 'functions'] as const) {
    if ((asked[name] ?? []).length > 0) throw unsupported(name, 'expected none, got some');
  }
  for (const name of ['tool_choice', 'function_call'] as const) {
    const value = asked[name] ?? 'none';
    if (value !== 'none' && value !== 'auto') throw unsupported(name, 'expected none');
  }
  const format = asked.response_format?.type ?? 'text';
  if (format !== 'text') throw unsupported('response_format', `expected text, got ${format}`);
  const other = (asked.modalities ?? []).find(modality => modality !== 'text');
  if (other !== undefined || (asked.audio ?? null) !== null) throw unsupported('modalities', 'expected text alone');
}

function toMessage(
  { role, content, tool_calls, function_call }: z.infer<typeof messageSchema>,
  index: number,
): Message {
  const where = `messages[${index}]`;
  if ((tool_calls ?? []).length > 0 || (function_call ?? null) !== null) {
    throw unsupported(`${where}.tool_calls`, 'expected none, got some');
  }
  const parts = typeof content === 'string' ? [{ type: 'text', text: content }] : (content ?? []);
  if (content === undefined || (content === null && role !== 'assistant')) {
    throw refuseParameter(`${where}.content`, 'expected text.', 'invalid_value');
  }
  const texts = parts.map((piece, i) => {
    const text = piece.type === 'refusal' ? (piece as z.infer<typeof part>).refusal : piece.text;
    if (typeof text === 'string' && ['text', 'refusal'].includes(piece.type)) return text;
    throw unsupported(`${where}.content[${i}]`, `expected text, got ${piece.type}`);
  });
  return { role: role === 'developer' ? 'system' : role, content: texts.join('') };
}
