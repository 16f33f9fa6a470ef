/**
 * Texts -> a byte-level BPE tokenizer as tokenizer.json and tokenizer_config.json (Sennrich et al. 2016, arXiv:1508.07909,
 * over bytes as in GPT-2). Deterministic: of pairs that are equally frequent the one of the older tokens is merged first.
 */
import { bpeTokenizerJson, makeAddedToken } from '../core/formats/bpeTokenizerJson.ts';
import { byteCharacters, byteLevelComponent } from '../core/formats/byteLevel.ts';
import type { TokenizerConfig } from '../core/formats/tokenizerFiles.ts';

/** Ids 0, 1, 2. `<|im_start|>` opens a message, `<|im_end|>` ends it and generation; padding is a token of its own. */
export const specialTokens = ['<|pad|>', '<|im_start|>', '<|im_end|>'] as const;

/** ChatML; everything between the generation tags is what the assistant learns to say. */
export const chatTemplate =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' }}" +
  "{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}" +
  "{% else %}{{ message['content'] + '<|im_end|>' }}{% endif %}{{ '\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

export interface TinyTokenizer {
  readonly tokenizerJson: object;
  readonly tokenizerConfig: TokenizerConfig & Readonly<Record<string, unknown>>;
  readonly vocabularySize: number;
}

/** How often role names count, so that each becomes one token. */
const roleWeight = 1_000_000;
const wordPattern = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** At most `vocabularySize` tokens; fewer when no pair occurs twice any more. */
export function trainTinyTokenizer(
  texts: Iterable<string>,
  vocabularySize: number,
  contextTokens: number,
): TinyTokenizer {
  const vocabulary = [...specialTokens, ...[...byteCharacters].sort((a, b) => (a < b ? -1 : 1))];
  const idOf = new Map(vocabulary.map((token, id) => [token, id]));
  const words = countWords(texts).map(([word, count]) => ({
    ids: [...word].map(c => idOf.get(c)!),
    count,
  }));
  const merges: [string, string][] = [];
  while (vocabulary.length < vocabularySize) {
    const best = findBestPair(words);
    if (best === undefined) break;
    const [left, right] = best;
    const id = vocabulary.length;
    merges.push([vocabulary[left]!, vocabulary[right]!]);
    vocabulary.push(`${vocabulary[left]}${vocabulary[right]}`);
    for (const word of words) word.ids = mergePair(word.ids, left, right, id);
  }
  const byteLevel = byteLevelComponent(true);
  return {
    tokenizerJson: bpeTokenizerJson({
      addedTokens: specialTokens.map((content, id) => makeAddedToken(id, content)),
      preTokenizer: byteLevel,
      decoder: byteLevel,
      tokens: vocabulary,
      merges,
    }),
    tokenizerConfig: makeTokenizerConfig(contextTokens),
    vocabularySize: vocabulary.length,
  };
}

/** Distinct words in byte characters with their counts, most frequent first, ties in alphabetical order. */
function countWords(texts: Iterable<string>): [string, number][] {
  const counts = new Map<string, number>();
  const add = (text: string, count: number) => {
    for (const [word] of text.matchAll(wordPattern)) counts.set(word, (counts.get(word) ?? 0) + count);
  };
  for (const text of texts) add(text, 1);
  for (const role of ['system', 'user', 'assistant', 'tool']) add(role, roleWeight);
  return [...counts]
    .map(([word, count]): [string, number] => [
      [...Buffer.from(word)].map(byte => byteCharacters[byte]).join(''),
      count,
    ])
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
}

interface Word {
  ids: number[];
  readonly count: number;
}

function findBestPair(words: readonly Word[]): [number, number] | undefined {
  const counts = new Map<number, number>();
  for (const { ids, count } of words) {
    for (let i = 1; i < ids.length; i++) {
      const pair = ids[i - 1]! * 65536 + ids[i]!;
      counts.set(pair, (counts.get(pair) ?? 0) + count);
    }
  }
  let best: number | undefined;
  let bestCount = 1;
  for (const [pair, count] of counts) {
    if (count > bestCount || (count === bestCount && best !== undefined && pair < best))
      [best, bestCount] = [pair, count];
  }
  return best === undefined ? undefined : [Math.floor(best / 65536), best % 65536];
}

function mergePair(ids: number[], left: number, right: number, id: number): number[] {
  if (!ids.includes(left)) return ids;
  const merged: number[] = [];
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] === left && ids[i + 1] === right) {
      merged.push(id);
      i++;
    } else {
      merged.push(ids[i]!);
    }
  }
  return merged;
}

function makeTokenizerConfig(contextTokens: number): TinyTokenizer['tokenizerConfig'] {
  const added = specialTokens.map((content, id) => [
    String(id),
    { content, lstrip: false, normalized: false, rstrip: false, single_word: false, special: true },
  ]);
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    added_tokens_decoder: Object.fromEntries(added),
    eos_token: '<|im_end|>',
    pad_token: '<|pad|>',
    add_bos_token: false,
    add_eos_token: false,
    clean_up_tokenization_spaces: false,
    model_max_length: contextTokens,
    chat_template: chatTemplate,
  };
}
