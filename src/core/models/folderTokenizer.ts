/** @file tokenizer.json, tokenizer_config.json and the chat template of a model folder -> TokenizerFiles. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TuneError } from '../../shared/errors.ts';
import type { TokenizerConfig, TokenizerFiles } from '../formats/tokenizerFiles.ts';
import { isJsonObject, type JsonObject, readJsonFile } from './readJsonFile.ts';

/** @throws TuneError `tokenizer-invalid` */
export function readFolderTokenizer(
  folder: string,
  config: JsonObject,
  generationConfig: JsonObject | undefined,
): TokenizerFiles {
  const tokenizerJson = readTokenizerJson(folder);
  const raw = readOptionalObject(join(folder, 'tokenizer_config.json'));
  const specialTokens = readOptionalObject(join(folder, 'special_tokens_map.json'));
  const readToken = (key: string) => toTokenText(raw[key]) ?? toTokenText(specialTokens[key]);

  const endIds = listEndIds(generationConfig?.eos_token_id ?? config.eos_token_id);
  const ids = collectTokenIds(tokenizerJson);
  const eosToken = readToken('eos_token') ?? findTokenText(ids, endIds[0]);
  const eosId = eosToken === undefined ? undefined : ids.get(eosToken);
  const tokenizerConfig: TokenizerConfig = {
    tokenizer_class: toText(raw.tokenizer_class),
    bos_token: readToken('bos_token'),
    eos_token: eosToken,
    pad_token: readToken('pad_token'),
    unk_token: readToken('unk_token'),
    add_bos_token: toBoolean(raw.add_bos_token),
    add_eos_token: toBoolean(raw.add_eos_token),
    clean_up_tokenization_spaces: toBoolean(raw.clean_up_tokenization_spaces) ?? false,
    chat_template: readChatTemplate(folder, raw),
    extra_eos_token_ids: endIds.filter(id => id !== eosId),
  };
  return { tokenizerJson, tokenizerConfig };
}

function readTokenizerJson(folder: string): JsonObject {
  const path = join(folder, 'tokenizer.json');
  if (!existsSync(path)) {
    throw new TuneError('tokenizer-invalid', `${folder}: expected tokenizer.json, got none`, {
      file: path,
      hint:
        'Make it once with Python: ' +
        `python -c "from transformers import AutoTokenizer as T; T.from_pretrained('${folder}').save_pretrained('${folder}')"`,
    });
  }
  const value = readJsonFile(path, 'tokenizer-invalid');
  if (isJsonObject(value) && isJsonObject(value.model)) return value;
  throw new TuneError('tokenizer-invalid', `${path}: expected an object with "model", got something else`, {
    file: path,
    hint: 'Use the tokenizer.json that came with the model.',
  });
}

/** chat_template.jinja wins over tokenizer_config.json, as in transformers; of several named ones `default` is taken. */
function readChatTemplate(folder: string, tokenizerConfig: JsonObject): string | undefined {
  const jinja = join(folder, 'chat_template.jinja');
  if (existsSync(jinja)) return readFileSync(jinja, 'utf8');
  const inline = pickTemplate(tokenizerConfig.chat_template);
  return inline ?? pickTemplate(readOptionalObject(join(folder, 'chat_template.json')).chat_template);
}

function pickTemplate(value: unknown): string | undefined {
  if (!Array.isArray(value)) return toText(value);
  const named = value.filter(isJsonObject).find(item => item.name === 'default');
  return toText(named?.template);
}

/** Ids of the vocabulary and of the tokens added to it, by text. */
function collectTokenIds(tokenizerJson: JsonObject): ReadonlyMap<string, number> {
  const ids = new Map<string, number>();
  const vocabulary = (tokenizerJson.model as JsonObject).vocab;
  if (Array.isArray(vocabulary)) {
    vocabulary.forEach((entry, id) => {
      if (Array.isArray(entry) && typeof entry[0] === 'string') ids.set(entry[0], id);
    });
  }
  if (isJsonObject(vocabulary)) {
    for (const [text, id] of Object.entries(vocabulary)) if (typeof id === 'number') ids.set(text, id);
  }
  const added = tokenizerJson.added_tokens;
  for (const token of Array.isArray(added) ? added.filter(isJsonObject) : []) {
    if (typeof token.content === 'string' && typeof token.id === 'number') ids.set(token.content, token.id);
  }
  return ids;
}

function findTokenText(ids: ReadonlyMap<string, number>, wanted: number | undefined): string | undefined {
  if (wanted === undefined) return undefined;
  for (const [text, id] of ids) if (id === wanted) return text;
  return undefined;
}

function listEndIds(value: unknown): number[] {
  const list = Array.isArray(value) ? value : [value];
  return list.filter((id): id is number => Number.isSafeInteger(id));
}

/** Special tokens stand as text or as an object with their text in `content`. */
function toTokenText(value: unknown): string | undefined {
  return toText(isJsonObject(value) ? value.content : value);
}

function toText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function toBoolean(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}

function readOptionalObject(path: string): JsonObject {
  if (!existsSync(path)) return {};
  const value = readJsonFile(path, 'tokenizer-invalid');
  return isJsonObject(value) ? value : {};
}
