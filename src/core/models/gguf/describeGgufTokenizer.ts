/**
 * @file tokenizer.json -> the keys by which llama.cpp cuts text into the same tokens. It knows byte-level vocabularies by the
 * name of their pre-tokenizer, and SentencePiece's by the scores of their pieces, which here follow from the merges.
 * @see https://github.com/ggml-org/llama.cpp (conversion/base.py, src/llama-vocab.cpp)
 */
import { TuneError } from '../../../shared/errors.ts';
import type { TokenizerFiles } from '../../formats/tokenizerFiles.ts';
import type { GgufValueToWrite } from '../../formats/writeGguf.ts';
import { createTokenizer, type TextTokenizer } from '../../text/tokenizer.ts';
import { isJsonObject, type JsonObject } from '../readJsonFile.ts';
import { findPreTokenizerName } from './findPreTokenizerName.ts';

type Keys = Record<string, GgufValueToWrite>;
/** By their number on disk. */
const kinds = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** @param vocabularySize rows of the embedding @throws TuneError `model-unsupported` for a tokenizer that llama.cpp has no form for */
export function describeGgufTokenizer(
  files: TokenizerFiles,
  vocabularySize: number,
  chatTemplate: string,
): Readonly<Record<string, GgufValueToWrite>> {
  const json = files.tokenizerJson as JsonObject;
  const model = json.model as JsonObject;
  if (model.type !== 'BPE' && !(model.type === undefined && model.merges !== undefined)) {
    throw refuse('a BPE vocabulary', String(model.type));
  }
  const tokenizer = createTokenizer(files);
  const { tokens, types } = listTokens(json, vocabularySize, model.byte_fallback === true);
  const merges = readMerges(model);
  const isByteLevel = tokenizer.family === 'byteLevel';
  const own: Keys = isByteLevel
    ? {
        'tokenizer.ggml.model': 'gpt2',
        'tokenizer.ggml.pre': findPreTokenizerName(files, tokenizer),
        'tokenizer.ggml.merges': merges.map(([left, right]) => `${left} ${right}`),
      }
    : {
        'tokenizer.ggml.model': 'llama',
        'tokenizer.ggml.pre': 'default',
        'tokenizer.ggml.scores': scorePieces(tokens, merges),
        'tokenizer.ggml.add_space_prefix': addsSpace(tokenizer),
      };
  return {
    ...own,
    'tokenizer.ggml.tokens': tokens,
    'tokenizer.ggml.token_type': types,
    ...describeSpecialTokens(files, tokenizer),
    'tokenizer.chat_template': chatTemplate,
  };
}

function describeSpecialTokens({ tokenizerConfig: config }: TokenizerFiles, tokenizer: TextTokenizer): Keys {
  const idOf = (text: string | undefined): number | undefined =>
    text === undefined ? undefined : tokenizer.specialTokens.get(text);
  const [end, turnEnd] = tokenizer.eosTokenIds;
  const ids = {
    bos_token_id: tokenizer.bosTokenId ?? undefined,
    eos_token_id: end,
    eot_token_id: turnEnd,
    padding_token_id: idOf(config.pad_token),
    unknown_token_id: idOf(config.unk_token),
  };
  const known = Object.entries(ids).filter((entry): entry is [string, number] => entry[1] !== undefined);
  return {
    ...Object.fromEntries(known.map(([name, id]) => [`tokenizer.ggml.${name}`, id])),
    'tokenizer.ggml.add_bos_token': tokenizer.addsBos,
    'tokenizer.ggml.add_eos_token': config.add_eos_token ?? false,
  };
}

function listTokens(json: JsonObject, size: number, hasBytes: boolean): { tokens: string[]; types: Int32Array } {
  const model = json.model as JsonObject;
  const tokens = new Array<string>(size);
  const types = new Int32Array(size).fill(kinds.unused);
  const put = (text: string, id: number, kind: number): void => {
    if (!(id < size)) throw refuse(`tokens below ${size}, the rows of the embedding`, `${id}`);
    tokens[id] = text;
    types[id] = kind;
  };
  for (const [text, id] of Object.entries(model.vocab as Record<string, number>)) {
    const isByte = hasBytes && /^<0x[0-9A-F]{2}>$/.test(text);
    put(text, id, isByte ? kinds.byte : text === model.unk_token ? kinds.unknown : kinds.normal);
  }
  for (const token of Array.isArray(json.added_tokens) ? json.added_tokens.filter(isJsonObject) : []) {
    const { content, id, special } = token as { content: string; id: number; special?: boolean };
    const kind = content === model.unk_token ? kinds.unknown : special ? kinds.control : kinds.userDefined;
    put(content, id, kind);
  }
  for (let id = 0; id < size; id++) tokens[id] ??= `[PAD${id}]`;
  return { tokens, types };
}

function readMerges(model: JsonObject): [string, string][] {
  const merges = Array.isArray(model.merges) ? (model.merges as (string | [string, string])[]) : [];
  return merges.map(merge => {
    if (typeof merge !== 'string') return merge;
    const space = merge.indexOf(' ', 1);
    return [merge.slice(0, space), merge.slice(space + 1)];
  });
}

/** A piece that is made earlier scores higher; what no merge makes scores lowest. */
function scorePieces(tokens: readonly string[], merges: readonly (readonly [string, string])[]): Float32Array {
  const ranks = new Map<string, number>();
  for (const [rank, [left, right]] of merges.entries()) {
    const piece = left + right;
    if (!ranks.has(piece)) ranks.set(piece, rank);
  }
  return Float32Array.from(tokens, token => -(ranks.get(token) ?? merges.length));
}

function addsSpace(tokenizer: TextTokenizer): boolean {
  const [first] = tokenizer.encode('a');
  return first !== undefined && tokenizer.tokenText(first).startsWith(' ');
}

function refuse(expected: string, got: string): TuneError {
  return new TuneError('model-unsupported', `GGUF, tokenizer: expected ${expected}, got ${got}`, {
    hint: 'llama.cpp would cut text otherwise. Export a merged Hugging Face folder instead.',
  });
}
