/**
 * @file Tokenizer files -> text to token ids and back, without network. Encoding is @huggingface/tokenizers' (the part of
 * transformers.js that needs neither its models nor onnxruntime); decoding is done here on bytes, so that a stream of
 * tokens never shows half a character. No special token is ever added: chat templates write them all.
 */
import { Tokenizer } from '@huggingface/tokenizers';
import { TuneError } from '../../shared/errors.ts';
import type { TokenizerFiles } from '../formats/tokenizerFiles.ts';
import { dropsFirstSpace, findTokenFamily, listComponents, readTokenBytes, type TokenFamily } from './tokenBytes.ts';

export type UnicodeForm = 'NFC' | 'NFD' | 'NFKC' | 'NFKD';

/** Turns tokens into text as they come. */
export interface StreamDecoder {
  /** The characters that this token completes; often empty in the middle of one. */
  push(tokenId: number): string;
  /** What is left, with U+FFFD for a character that never was completed. */
  end(): string;
}

export interface TextTokenizer {
  readonly family: TokenFamily;
  /** One more than the largest id. */
  readonly vocabularySize: number;
  readonly bosTokenId: number | null;
  /** Whether a text that stands alone is to begin with the BOS token. */
  readonly addsBos: boolean;
  /** Tokens that end generation, `eos_token` first; empty when the model names none. */
  readonly eosTokenIds: readonly number[];
  /** Padding is masked everywhere, so any id serves when the model has none. */
  readonly padTokenId: number;
  readonly specialTokens: ReadonlyMap<string, number>;
  /** Form to which text is normalised before anything else; null for none. */
  readonly unicodeForm: UnicodeForm | null;
  encode(text: string): number[];
  /** Empty for ids that the vocabulary lacks. */
  tokenBytes(id: number): Uint8Array;
  /** The token as text for people; U+FFFD where it holds part of a character. */
  tokenText(id: number): string;
  decode(ids: ArrayLike<number>, options?: { keepSpecialTokens?: boolean }): string;
  streamDecoder(options?: { keepSpecialTokens?: boolean }): StreamDecoder;
}

interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special?: boolean;
}

/** @throws TuneError `tokenizer-invalid` when the files are not a tokenizer that can be used here. */
export function createTokenizer({ tokenizerJson, tokenizerConfig }: TokenizerFiles): TextTokenizer {
  if (typeof tokenizerJson !== 'object' || tokenizerJson === null || Array.isArray(tokenizerJson)) {
    throw new TuneError('tokenizer-invalid', 'tokenizer.json: expected an object', { hint: invalidHint });
  }
  const parts = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null, added_tokens: [] };
  const json: Record<string, unknown> & { added_tokens: AddedToken[] } = { ...parts, ...tokenizerJson };
  const family = findTokenFamily(json);
  const library = openLibrary(json, { ...tokenizerConfig });
  const added = new Map(json.added_tokens.map(token => [token.id, token]));

  const idOf = (token: string | undefined): number | null =>
    token === undefined ? null : (library.token_to_id(token) ?? null);
  const bosTokenId = idOf(tokenizerConfig.bos_token);
  const eos = [idOf(tokenizerConfig.eos_token), ...(tokenizerConfig.extra_eos_token_ids ?? [])];
  const eosTokenIds = [...new Set(eos.filter(id => id !== null))];
  const named = [tokenizerConfig.bos_token, tokenizerConfig.eos_token, tokenizerConfig.pad_token];
  const specialTokens = new Map(
    [...json.added_tokens.filter(token => token.special).map(token => token.content), ...named].flatMap(text => {
      const id = idOf(text);
      return text === undefined || id === null ? [] : [[text, id] as const];
    }),
  );
  const specialIds = new Set(specialTokens.values());

  const bytesOf = (id: number): Uint8Array => {
    const token = library.id_to_token(id);
    if (token === undefined) return new Uint8Array(0);
    return added.has(id) ? new TextEncoder().encode(token) : readTokenBytes(token, family);
  };
  const cache = new Map<number, Uint8Array>();
  const tokenBytes = (id: number): Uint8Array => {
    const known = cache.get(id) ?? bytesOf(id);
    cache.set(id, known);
    return known;
  };

  const dropsSpace = dropsFirstSpace(json);
  const streamDecoder: TextTokenizer['streamDecoder'] = ({ keepSpecialTokens = false } = {}) => {
    const decoder = newDecoder();
    let dropNext = dropsSpace;
    const finish = (text: string): string => {
      if (text === '' || !dropNext) return text;
      dropNext = false;
      return text.startsWith(' ') ? text.slice(1) : text;
    };
    return {
      push: id =>
        !keepSpecialTokens && specialIds.has(id) ? '' : finish(decoder.decode(tokenBytes(id), { stream: true })),
      end: () => finish(decoder.decode()),
    };
  };

  return {
    family,
    vocabularySize: findVocabularySize(library),
    bosTokenId,
    addsBos: bosTokenId !== null && (tokenizerConfig.add_bos_token ?? library.encode('').ids[0] === bosTokenId),
    eosTokenIds,
    padTokenId: idOf(tokenizerConfig.pad_token) ?? eosTokenIds[0] ?? 0,
    specialTokens,
    unicodeForm: findUnicodeForm(json.normalizer),
    encode: text => encodeText(library, text),
    tokenBytes,
    tokenText: id => newDecoder().decode(tokenBytes(id)),
    decode: (ids, options) => {
      const stream = streamDecoder(options);
      let text = '';
      for (let i = 0; i < ids.length; i++) text += stream.push(ids[i]!);
      return text + stream.end();
    },
    streamDecoder,
  };
}

const invalidHint =
  'Download the model again, or choose another: its tokenizer files are damaged or of an unknown kind.';
const newDecoder = () => new TextDecoder('utf-8', { ignoreBOM: true });

function openLibrary(json: Readonly<Record<string, unknown>>, config: Readonly<Record<string, unknown>>): Tokenizer {
  try {
    return new Tokenizer(json, config);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TuneError('tokenizer-invalid', `tokenizer.json: expected a usable tokenizer, got: ${reason}`, {
      hint: invalidHint,
      cause: error,
    });
  }
}

function encodeText(library: Tokenizer, text: string): number[] {
  if (text === '') return [];
  // The library types ids as numbers, but gives undefined for a piece that neither vocabulary nor <unk> covers.
  const ids: (number | undefined)[] = library.encode(text, { add_special_tokens: false }).ids;
  if (ids.includes(undefined)) {
    throw new TuneError('tokenizer-invalid', 'tokenizer.json: expected every text to have tokens, got one without', {
      hint: invalidHint,
    });
  }
  return ids as number[];
}

function findVocabularySize(library: Tokenizer): number {
  let largest = -1;
  for (const id of library.get_vocab().values()) largest = Math.max(largest, id);
  return largest + 1;
}

function findUnicodeForm(normalizer: unknown): UnicodeForm | null {
  const form = listComponents(normalizer).find(part => /^NFK?[CD]$/.test(String(part.type)));
  return form ? (form.type as UnicodeForm) : null;
}
