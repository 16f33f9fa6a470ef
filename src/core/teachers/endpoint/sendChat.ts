/**
 * @file One conversation -> one request to an OpenAI-compatible endpoint -> its answer, whole: a stream that ends without
 * saying that it is done was cut, and what came of it is no answer.
 */
import { z } from 'zod';
import type { ChatMessage } from '../../../shared/inferenceProtocol.ts';
import { EndpointFailure, readErrorBody, toStatusFailure } from './endpointFailure.ts';
import { readEventStream } from './eventStream.ts';

export interface EndpointAddress {
  /** Up to and with `/v1`, as clients of the protocol take it. */
  readonly baseUrl: string;
  readonly model: string;
  /** Sent to this address and nobody else. */
  readonly apiKey?: string | undefined;
}

export interface AnswerSettings {
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topP: number;
  readonly seed?: number | undefined;
  readonly stop?: readonly string[] | undefined;
}

export interface ChatAnswer {
  readonly text: string;
  /** `length`: the limit of tokens cut it. */
  readonly end: 'stop' | 'length';
}

export interface SendOptions {
  /** Ends a request from which nothing came for so long. */
  readonly idleTimeoutMs: number;
  readonly isStreamed: boolean;
  readonly signal?: AbortSignal | undefined;
}

const choiceShape = { finish_reason: z.string().nullish() };
const answerSchema = z.object({
  choices: z.array(z.object({ ...choiceShape, message: z.object({ content: z.string().nullish() }) })).min(1),
});
const chunkSchema = z.object({
  error: z.unknown().optional(),
  choices: z
    .array(z.object({ ...choiceShape, delta: z.object({ content: z.string().nullish() }).nullish() }))
    .nullish(),
});

const maxAnswerBytes = 16 * 1024 * 1024;

/** @throws EndpointFailure; AbortError when cancelled */
export async function sendChat(
  address: EndpointAddress,
  messages: readonly ChatMessage[],
  settings: AnswerSettings,
  options: SendOptions,
): Promise<ChatAnswer> {
  const idle = new IdleTimer(options.idleTimeoutMs);
  const signal = options.signal ? AbortSignal.any([options.signal, idle.signal]) : idle.signal;
  try {
    const response = await fetch(`${address.baseUrl.replace(/\/+$/, '')}/chat/completions`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: options.isStreamed ? 'text/event-stream' : 'application/json',
        'user-agent': 'tuning-fork',
        ...(address.apiKey ? { authorization: `Bearer ${address.apiKey}` } : {}),
      },
      body: JSON.stringify(toBody(address.model, messages, settings, options.isStreamed)),
      // The key goes nowhere else.
      redirect: 'manual',
      signal,
    });
    const body = watchBody(response, idle);
    if (!response.ok) throw toStatusFailure(response.status, await readText(body), response.headers, Date.now());
    const isStream = response.headers.get('content-type')?.includes('text/event-stream') === true;
    return isStream ? await readStreamed(body) : readWhole(await readText(body));
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof EndpointFailure) throw error;
    if (idle.signal.aborted) {
      throw new EndpointFailure('transient', `nothing for ${options.idleTimeoutMs / 1000} seconds`, { cause: error });
    }
    throw new EndpointFailure('transient', describeFailure(error), { cause: error });
  } finally {
    idle.end();
  }
}

function toBody(model: string, messages: readonly ChatMessage[], settings: AnswerSettings, isStreamed: boolean) {
  const { maxTokens, temperature, topP, seed, stop } = settings;
  return {
    model,
    messages,
    max_tokens: maxTokens,
    temperature,
    top_p: topP,
    ...(seed === undefined ? {} : { seed }),
    ...(stop === undefined || stop.length === 0 ? {} : { stop }),
    stream: isStreamed,
  };
}

class IdleTimer {
  private readonly controller = new AbortController();
  private readonly timeoutMs: number;
  private timer: NodeJS.Timeout | undefined;

  constructor(timeoutMs: number) {
    this.timeoutMs = timeoutMs;
    this.touch();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  touch(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.controller.abort(), this.timeoutMs);
  }

  end(): void {
    clearTimeout(this.timer);
  }
}

async function* watchBody({ body }: Response, idle: IdleTimer): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0;
  idle.touch();
  for await (const piece of body ?? []) {
    idle.touch();
    bytes += piece.byteLength;
    if (bytes > maxAnswerBytes) throw new EndpointFailure('request', `an answer of more than ${maxAnswerBytes} bytes`);
    yield piece;
  }
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const piece of body) text += decoder.decode(piece, { stream: true });
  return text + decoder.decode();
}

function readWhole(text: string): ChatAnswer {
  const parsed = answerSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    const { message } = readErrorBody(text);
    throw new EndpointFailure('transient', `no answer in what came: ${message}`);
  }
  const choice = parsed.data.choices[0]!;
  return toAnswer(choice.message.content ?? '', choice.finish_reason);
}

async function readStreamed(body: AsyncIterable<Uint8Array>): Promise<ChatAnswer> {
  let text = '';
  let reason: string | undefined;
  for await (const data of readEventStream(body)) {
    if (data.trim() === '[DONE]') return toAnswer(text, reason ?? 'stop');
    const parsed = chunkSchema.safeParse(parseJson(data));
    if (!parsed.success) throw new EndpointFailure('transient', 'a part of an answer that cannot be read');
    const { error, choices } = parsed.data;
    if (error !== undefined && error !== null) throw toStreamFailure(data);
    const choice = choices?.[0];
    text += choice?.delta?.content ?? '';
    reason = choice?.finish_reason ?? reason;
  }
  // Some servers end without [DONE]; a reason to have finished is as good.
  if (reason !== undefined) return toAnswer(text, reason);
  throw new EndpointFailure('transient', `a stream that was cut after ${text.length} characters`);
}

function toStreamFailure(data: string): EndpointFailure {
  const { message, code } = readErrorBody(data);
  return new EndpointFailure(code === 'insufficient_quota' ? 'endpoint' : 'transient', message);
}

function toAnswer(text: string, reason: string | null | undefined): ChatAnswer {
  if (reason === 'content_filter') throw new EndpointFailure('request', 'an answer that its content filter withheld');
  return { text, end: reason === 'length' ? 'length' : 'stop' };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function describeFailure(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const { code, message } = cause as NodeJS.ErrnoException;
  return code ?? message ?? 'no connection';
}
