/** @file The parts of a BPE tokenizer -> tokenizer.json, as the tokenizers library lays it out. */

export interface BpeTokenizerParts {
  readonly addedTokens: readonly AddedToken[];
  readonly normalizer?: object;
  readonly preTokenizer: object | null;
  readonly decoder: object;
  /** Token text by id, added tokens included. */
  readonly tokens: readonly string[];
  /** Earliest first. */
  readonly merges: readonly (readonly [string, string])[];
  readonly unknownToken?: string | undefined;
  readonly fusesUnknown?: boolean;
  readonly fallsBackToBytes?: boolean;
  /** A word that is a token is taken whole, whatever the merges say. */
  readonly ignoresMerges?: boolean;
}

/** An entry of `added_tokens`: cut out of a text before anything else is done to it. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly single_word: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly normalized: boolean;
  readonly special: boolean;
}

export function makeAddedToken(id: number, content: string, special = true): AddedToken {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special };
}

/** tokenizer.json without a post-processor: nothing is put around a text. */
export function bpeTokenizerJson(parts: BpeTokenizerParts): Readonly<Record<string, unknown>> {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: parts.addedTokens,
    normalizer: parts.normalizer ?? null,
    pre_tokenizer: parts.preTokenizer,
    post_processor: null,
    decoder: parts.decoder,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: parts.unknownToken ?? null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: parts.fusesUnknown ?? false,
      byte_fallback: parts.fallsBackToBytes ?? false,
      ignore_merges: parts.ignoresMerges ?? false,
      // Made so that any text, `__proto__` too, is an own name.
      vocab: Object.fromEntries(parts.tokens.map((token, id) => [token, id])),
      merges: parts.merges,
    },
  };
}
