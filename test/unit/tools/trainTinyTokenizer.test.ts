import { PreTrainedTokenizer } from '@huggingface/transformers';
import { describe, expect, it } from 'vitest';
import { generateTinyCorpus } from '../../../src/tools/tinyCorpus.ts';
import { specialTokens, trainTinyTokenizer } from '../../../src/tools/trainTinyTokenizer.ts';

const texts = generateTinyCorpus(1, 3000).flatMap(row => row.messages.map(message => message.content));
const trained = trainTinyTokenizer(texts, 1024, 256);
const load = () => new PreTrainedTokenizer(trained.tokenizerJson, trained.tokenizerConfig);

describe('trainTinyTokenizer', () => {
  it('gives the same files for the same texts', () => {
    expect(trainTinyTokenizer(texts, 1024, 256)).toEqual(trained);
  });

  it('is loaded by transformers.js and gives every text back', () => {
    const tokenizer = load();
    const odd = ['Ünïcode 漢字 😀', " two  spaces\n\n x\t1234 it's", 'a <|im_end|> b'];
    for (const text of [...texts.slice(0, 300), ...odd]) {
      const ids = tokenizer.encode(text, { add_special_tokens: false });
      expect(tokenizer.decode(ids, { clean_up_tokenization_spaces: false })).toBe(text);
      expect(Math.max(0, ...ids)).toBeLessThan(trained.vocabularySize);
    }
  });

  it('spends one token on special tokens and role names, and few on common words', () => {
    const tokenizer = load();
    const count = (text: string) => tokenizer.encode(text, { add_special_tokens: false }).length;
    for (const token of [...specialTokens, 'system', 'user', 'assistant', 'What', ' the']) expect(count(token)).toBe(1);
    expect(tokenizer.encode('<|im_start|>', { add_special_tokens: false })).toEqual([1]);
    const words = texts.reduce((sum, text) => sum + text.split(' ').length, 0);
    expect(texts.reduce((sum, text) => sum + count(text), 0) / words).toBeLessThan(1.6);
  });

  it('stops early when the texts have no more pairs to merge', () => {
    expect(trainTinyTokenizer(['ab'], 5000, 256).vocabularySize).toBeLessThan(300);
  });
});
