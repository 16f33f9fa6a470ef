/** @file The vocabulary and special tokens of a GGUF file, checked against each other. */
import { TuneError } from '../../../shared/errors.ts';
import { type AddedToken, makeAddedToken } from '../../formats/bpeTokenizerJson.ts';
import type { GgufMetadataReader } from './ggufMetadata.ts';

export type TokenKind = 'normal' | 'unknown' | 'control' | 'userDefined' | 'unused' | 'byte';

/** By their number on disk, from 1. */
const tokenKinds: readonly TokenKind[] = ['normal', 'unknown', 'control', 'userDefined', 'unused', 'byte'];

/** End tokens that Llama 3's generation_config.json lists and GGUF has no key for. */
const knownEndTokens = new Set(['<|eot_id|>', '<|eom_id|>', '<|end_of_text|>']);

export interface GgufVocabulary {
  readonly tokens: readonly string[];
  readonly kinds: readonly TokenKind[];
  readonly bosId: number | undefined;
  readonly eosId: number | undefined;
  readonly padId: number | undefined;
  readonly unknownId: number | undefined;
  /** Tokens beyond `eosId` at which an answer ends. */
  readonly extraEndIds: readonly number[];
}

/** @throws TuneError `tokenizer-invalid` | `model-invalid` */
export function readGgufVocabulary(metadata: GgufMetadataReader): GgufVocabulary {
  const tokens = metadata.readTexts('tokenizer.ggml.tokens');
  if (!tokens || tokens.length === 0) {
    throw new TuneError(
      'tokenizer-invalid',
      `${metadata.path}: expected a vocabulary in tokenizer.ggml.tokens, got none`,
      {
        file: metadata.path,
        hint: 'Convert the model again together with its tokenizer.',
      },
    );
  }
  const kinds = readTokenKinds(metadata, tokens.length);
  const readId = (name: string) => metadata.readTokenId(`tokenizer.ggml.${name}`, tokens.length);
  const eosId = readId('eos_token_id');
  const endIds = new Set<number>();
  for (const name of ['eot_token_id', 'eom_token_id']) {
    const id = readId(name);
    if (id !== undefined) endIds.add(id);
  }
  tokens.forEach((token, id) => {
    if (kinds[id] === 'control' && knownEndTokens.has(token)) endIds.add(id);
  });
  if (eosId !== undefined) endIds.delete(eosId);
  return {
    tokens,
    kinds,
    bosId: readId('bos_token_id'),
    eosId,
    padId: readId('padding_token_id'),
    unknownId: readId('unknown_token_id'),
    extraEndIds: [...endIds].sort((a, b) => a - b),
  };
}

function readTokenKinds(metadata: GgufMetadataReader, count: number): readonly TokenKind[] {
  const key = 'tokenizer.ggml.token_type';
  const numbers = metadata.readNumbers(key);
  if (!numbers) return new Array<TokenKind>(count).fill('normal');
  if (numbers.length !== count) metadata.fail(key, `${count} types, one a token`, [...Array.from(numbers)]);
  return Array.from(numbers, number => tokenKinds[number - 1] ?? 'normal');
}

/** The tokens that are cut out of a text before anything else is done to it. */
export function listAddedTokens({ tokens, kinds }: GgufVocabulary): AddedToken[] {
  const added: AddedToken[] = [];
  tokens.forEach((content, id) => {
    const kind = kinds[id];
    if (content === '' || (kind !== 'control' && kind !== 'unknown' && kind !== 'userDefined')) return;
    added.push(makeAddedToken(id, content, kind !== 'userDefined'));
  });
  return added;
}

/** tokenizer.json's `post_processor` that puts the begin and end tokens around a text. */
export function buildPostProcessor(
  vocabulary: GgufVocabulary,
  { addsBos, addsEos }: { readonly addsBos: boolean; readonly addsEos: boolean },
): unknown {
  const specialTokens: [string, { id: string; ids: number[]; tokens: string[] }][] = [];
  const makeTemplate = (sequences: readonly string[]) =>
    sequences.flatMap((id, type_id) => {
      const special = (tokenId: number | undefined) => {
        if (tokenId === undefined) return [];
        const text = vocabulary.tokens[tokenId]!;
        specialTokens.push([text, { id: text, ids: [tokenId], tokens: [text] }]);
        return [{ SpecialToken: { id: text, type_id } }];
      };
      return [
        ...special(addsBos ? vocabulary.bosId : undefined),
        { Sequence: { id, type_id } },
        ...special(addsEos ? vocabulary.eosId : undefined),
      ];
    });
  return {
    type: 'TemplateProcessing',
    single: makeTemplate(['A']),
    pair: makeTemplate(['A', 'B']),
    special_tokens: Object.fromEntries(specialTokens),
  };
}
