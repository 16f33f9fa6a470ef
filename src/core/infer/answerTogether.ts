/**
 * @file Many prompts -> their greedy answers, decoded side by side: a step reads the weights once for all of them, which
 * is what a step costs. For scoring and comparing; an answer that somebody waits for streams alone.
 */
import { setImmediate } from 'node:timers/promises';
import type { ModelConfig } from '../models/architecture.ts';
import type { TextTokenizer } from '../text/tokenizer.ts';
import type { AdapterInputs } from './adapterInputs.ts';
import type { CachedPrefix } from './cachedPrefix.ts';
import type { DecodingSession } from './decodingSession.ts';
import { limitAnswer } from './encodePrompt.ts';
import { findLargest } from './findLargest.ts';
import type { Generation } from './generateText.ts';
import { type CacheRow, copyRows, listRows } from './keyValueCache.ts';

export interface TogetherRequest {
  /** None fills the context. */
  readonly prompts: readonly (readonly number[])[];
  readonly adapter: AdapterInputs;
  /** What all prompts begin with. */
  readonly prefix?: CachedPrefix | undefined;
  /** Of each answer, as far as the context leaves room behind its prompt. */
  readonly maxTokens: number;
  readonly onDone?: ((answers: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Keys and values of a group that decodes together. */
const maxCacheBytes = 256 * 2 ** 20;
/** More rows gain little, and each makes the first answer of a group wait for its prompt. */
export const maxGroupRows = 16;

/**
 * The answers, in the order of the prompts: what `generateText` gives for each alone.
 * @throws TuneError `usage` when a prompt fills the context, `not-finite`; AbortError when cancelled
 */
export async function answerTogether(session: DecodingSession, request: TogetherRequest): Promise<Generation[]> {
  const { prompts, maxTokens } = request;
  const longest = Math.max(0, ...prompts.map(({ length }) => length)) + maxTokens;
  const size = chooseGroupSize(session.resident.model.config, longest);
  const answers: Generation[] = [];
  for (let from = 0; from < prompts.length; from += size) {
    const onDone = (count: number) => request.onDone?.(from + count);
    answers.push(...(await answerGroup(session, { ...request, prompts: prompts.slice(from, from + size), onDone })));
  }
  return answers;
}

function chooseGroupSize({ layers, keyValueHeads, headSize }: ModelConfig, tokens: number): number {
  const rowBytes = 2 * layers * keyValueHeads * headSize * 4 * tokens;
  return Math.min(maxGroupRows, Math.max(1, Math.floor(maxCacheBytes / rowBytes)));
}

/** A prompt on its way to an answer. */
interface Row {
  readonly promptTokens: number;
  readonly tokenIds: number[];
  readonly maxTokens: number;
  readonly firstTokenMs: number;
  next: number;
  endedAt: number;
}

async function answerGroup(
  session: DecodingSession,
  { prompts, adapter, prefix, maxTokens, onDone, signal }: TogetherRequest,
): Promise<Generation[]> {
  const { tokenizer, contextTokens, model } = session.resident;
  const all: Row[] = [];
  const started: CacheRow[] = [];
  for (const prompt of prompts) {
    await setImmediate();
    const startedAt = performance.now();
    const start = prefix?.cache ?? session.emptyCache();
    const step = await session.extend(prompt.slice(prefix?.tokenIds.length ?? 0), start, adapter, signal);
    // A copy: the next prompt writes into the prefix's buffers again.
    started.push(...listRows(copyRows(model.config, listRows(step.cache), prompt.length)));
    all.push({
      promptTokens: prompt.length,
      tokenIds: [],
      maxTokens: limitAnswer(prompt.length, maxTokens, contextTokens),
      firstTokenMs: performance.now() - startedAt,
      next: findLargest(step.logits),
      endedAt: 0,
    });
  }
  const decodingAt = performance.now();
  let rows: readonly Row[] = all;
  let cache = copyRows(model.config, started, Math.max(...prompts.map(({ length }) => length)) + 1);
  for (;;) {
    signal?.throwIfAborted();
    const going = rows.map(row => takeToken(row, tokenizer));
    if (going.includes(false)) {
      const kept = listRows(cache).filter((_, i) => going[i]);
      rows = rows.filter((_, i) => going[i]);
      onDone?.(prompts.length - rows.length);
      if (rows.length === 0) break;
      cache = copyRows(model.config, kept, cache.capacity);
    }
    const step = await session.extendRows(
      rows.map(({ next }) => next),
      cache,
      adapter,
    );
    cache = step.cache;
    const width = step.logits.length / rows.length;
    for (const [i, row] of rows.entries()) row.next = findLargest(step.logits, i * width, (i + 1) * width);
  }
  return all.map(row => finish(row, tokenizer, decodingAt));
}

/** Adds the row's token to its answer; false when it is the last. */
function takeToken(row: Row, { eosTokenIds }: TextTokenizer): boolean {
  const { next, tokenIds, maxTokens } = row;
  const isLast = tokenIds.push(next) >= maxTokens || eosTokenIds.includes(next);
  if (isLast) row.endedAt = performance.now();
  return !isLast;
}

/** The speed is the answer's own: others that decode beside it come on top. */
function finish(row: Row, tokenizer: TextTokenizer, decodingAt: number): Generation {
  const { promptTokens, tokenIds, firstTokenMs, endedAt } = row;
  const hasEnded = tokenizer.eosTokenIds.includes(tokenIds.at(-1)!);
  const [tokens, ms] = tokenIds.length > 1 ? [tokenIds.length - 1, endedAt - decodingAt] : [1, firstTokenMs];
  return {
    text: tokenizer.decode(hasEnded ? tokenIds.slice(0, -1) : tokenIds),
    tokenIds,
    promptTokens,
    outputTokens: tokenIds.length,
    firstTokenMs,
    tokensPerSecond: (1000 * tokens) / Math.max(ms, 0.001),
    stopReason: hasEnded ? 'end' : 'length',
  };
}
