/** @file Prompts that begin alike -> their common beginning, run once: examples in front of many questions cost nothing then. */
import type { AdapterInputs } from './adapterInputs.ts';
import type { DecodingSession } from './decodingSession.ts';
import type { KeyValueCache } from './keyValueCache.ts';

/** For one answer at a time: each writes behind the prefix. */
export interface CachedPrefix {
  readonly tokenIds: readonly number[];
  readonly cache: KeyValueCache;
}

/** Below this many tokens a prefix is not worth keeping. */
const minPrefixTokens = 16;

/** Undefined when the prompts have too little in common. @throws AbortError when cancelled */
export async function cachePrefix(
  session: DecodingSession,
  prompts: readonly (readonly number[])[],
  adapter: AdapterInputs,
  signal?: AbortSignal,
): Promise<CachedPrefix | undefined> {
  const tokenIds = findCommonPrefix(prompts);
  if (tokenIds.length < minPrefixTokens) return undefined;
  const { cache } = await session.extend(tokenIds, session.emptyCache(), adapter, signal);
  return { tokenIds, cache };
}

/** The beginning that all prompts share; at least the last token of each is left. */
export function findCommonPrefix(prompts: readonly (readonly number[])[]): readonly number[] {
  const [first = []] = prompts;
  let length = Math.min(...prompts.map(prompt => prompt.length - 1));
  for (const prompt of prompts) {
    let same = 0;
    while (same < length && prompt[same] === first[same]) same++;
    length = same;
  }
  return first.slice(0, Math.max(0, length));
}
