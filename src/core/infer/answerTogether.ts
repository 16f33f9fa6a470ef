/**
 * @file Many prompts -> their greedy answers, decoded side by side: a step reads the weights once for all of them, which
 * is what a step costs. For scoring; answers that are shown stream one at a time.
 */
import { setImmediate } from 'node:timers/promises';
import type { ModelConfig } from '../models/architecture.ts';
import type { TextTokenizer } from '../text/tokenizer.ts';
import type { AdapterInputs } from './adapterInputs.ts';
import type { CachedPrefix } from './cachedPrefix.ts';
import type { DecodingSession } from './decodingSession.ts';
import { findLargest } from './findLargest.ts';
import { type CacheRow, copyRows, listRows } from './keyValueCache.ts';

export interface TogetherRequest {
  /** Each fits the context with `maxTokens` behind it. */
  readonly prompts: readonly (readonly number[])[];
  readonly adapter: AdapterInputs;
  /** What all prompts begin with. */
  readonly prefix?: CachedPrefix | undefined;
  readonly maxTokens: number;
  readonly onDone?: ((answers: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Keys and values of a group that decodes together. */
const maxCacheBytes = 256 * 2 ** 20;
const maxRows = 16;

/** The texts, in the order of the prompts. @throws AbortError when cancelled */
export async function answerTogether(session: DecodingSession, request: TogetherRequest): Promise<string[]> {
  const { prompts, maxTokens } = request;
  const longest = Math.max(0, ...prompts.map(({ length }) => length)) + maxTokens;
  const size = chooseGroupSize(session.resident.model.config, longest);
  const texts: string[] = [];
  for (let from = 0; from < prompts.length; from += size) {
    const onDone = (answers: number) => request.onDone?.(from + answers);
    texts.push(...(await answerGroup(session, { ...request, prompts: prompts.slice(from, from + size), onDone })));
  }
  return texts;
}

function chooseGroupSize({ layers, keyValueHeads, headSize }: ModelConfig, tokens: number): number {
  const rowBytes = 2 * layers * keyValueHeads * headSize * 4 * tokens;
  return Math.min(maxRows, Math.max(1, Math.floor(maxCacheBytes / rowBytes)));
}

interface Row {
  readonly index: number;
  next: number;
}

async function answerGroup(
  session: DecodingSession,
  { prompts, adapter, prefix, maxTokens, onDone, signal }: TogetherRequest,
): Promise<string[]> {
  const { tokenizer } = session.resident;
  const { config } = session.resident.model;
  const answers: number[][] = prompts.map(() => []);
  const longest = Math.max(...prompts.map(({ length }) => length));
  const started: CacheRow[] = [];
  let rows: Row[] = [];
  for (const [index, prompt] of prompts.entries()) {
    await setImmediate();
    const start = prefix?.cache ?? session.emptyCache();
    const step = await session.extend(prompt.slice(prefix?.tokenIds.length ?? 0), start, adapter, signal);
    // A copy: the next prompt writes into the prefix's buffers again.
    started.push(...listRows(copyRows(config, listRows(step.cache), prompt.length)));
    rows.push({ index, next: findLargest(step.logits) });
  }
  let cache = copyRows(config, started, longest + maxTokens);
  for (;;) {
    signal?.throwIfAborted();
    const going = rows.map(row => takeToken(row, answers[row.index]!, tokenizer, maxTokens));
    if (going.includes(false)) {
      rows = rows.filter((_, i) => going[i]);
      onDone?.(prompts.length - rows.length);
      if (rows.length === 0) break;
      const kept = listRows(cache).filter((_, i) => going[i]);
      cache = copyRows(config, kept, cache.capacity);
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
  return answers.map(ids => tokenizer.decode(ids));
}

/** Adds the row's token to its answer; false when it is the last. */
function takeToken({ next }: Row, answer: number[], tokenizer: TextTokenizer, maxTokens: number): boolean {
  if (tokenizer.eosTokenIds.includes(next)) return false;
  return answer.push(next) < maxTokens;
}
