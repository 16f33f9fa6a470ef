/**
 * @file Tokens that are likely to come next -> fewer steps: where an answer repeats what stands in its prompt or in itself,
 * the tokens that came after it there are run together with the next one. Reading the weights is what a step costs, so
 * that some more tokens cost little; where the guess was right, their logits are there already. Nothing else changes: a
 * token's logits depend on the tokens before it alone, and whoever draws tokens draws from the same.
 * @see https://github.com/apoorvumang/prompt-lookup-decoding
 */
import type { AdapterInputs } from './adapterInputs.ts';
import type { DecodedStep, DecodingSession } from './decodingSession.ts';
import type { KeyValueCache } from './keyValueCache.ts';

/** Tokens that must have come in the same order before. */
const matchedTokens = 3;
/** Behind the token that is certain. */
const maxGuesses = 4;

/** What came after the last tokens when they came before, the latest time first; none when they never did. */
export function guessNext(tokenIds: readonly number[], limit = maxGuesses): readonly number[] {
  const end = tokenIds.length;
  const isSame = (from: number): boolean => {
    for (let i = 0; i < matchedTokens; i++) if (tokenIds[from + i] !== tokenIds[end - matchedTokens + i]) return false;
    return true;
  };
  for (let from = end - matchedTokens - 1; from >= 0; from--) {
    if (isSame(from)) return tokenIds.slice(from + matchedTokens, from + matchedTokens + Math.max(0, limit));
  }
  return [];
}

/** One row that is extended token by token. */
export class Lookahead {
  private readonly session: DecodingSession;
  private readonly adapter: AdapterInputs;
  private readonly history: number[];
  /** What ran ahead of the tokens that were asked for. */
  private ahead: { readonly tokenIds: readonly number[]; readonly logits: Float32Array; readonly cache: KeyValueCache };
  private used = 1;

  /** @param tokenIds those of the cache so far, in case they begin to repeat */
  constructor(session: DecodingSession, adapter: AdapterInputs, tokenIds: readonly number[], cache: KeyValueCache) {
    this.session = session;
    this.adapter = adapter;
    this.history = [...tokenIds];
    this.ahead = { tokenIds: [], logits: new Float32Array(0), cache };
  }

  /** The step of the next token. @throws TuneError `not-finite` */
  async extend(tokenId: number): Promise<DecodedStep> {
    const { contextTokens } = this.session.resident;
    if (this.ahead.tokenIds[this.used] !== tokenId) {
      const cache = this.keepTokens();
      const room = contextTokens - this.history.length - 1;
      this.history.push(tokenId);
      const tokenIds = [tokenId, ...guessNext(this.history, Math.min(maxGuesses, room))];
      this.ahead = { tokenIds, ...(await this.session.extendGuessed(tokenIds, cache, this.adapter)) };
      this.used = 0;
    } else {
      this.history.push(tokenId);
    }
    const { logits, tokenIds } = this.ahead;
    const width = logits.length / tokenIds.length;
    const own = logits.slice(this.used * width, (this.used + 1) * width);
    this.used++;
    return { logits: own, cache: this.keepTokens() };
  }

  /** The cache without what ran ahead and was not asked for: it is overwritten. */
  private keepTokens(): KeyValueCache {
    return { ...this.ahead.cache, tokens: [this.history.length] };
  }
}
