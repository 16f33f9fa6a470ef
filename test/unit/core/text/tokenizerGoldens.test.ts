import { describe, expect, it } from 'vitest';
import { encodeSpans } from '../../../../src/core/text/encodeSpans.ts';
import { loadTokenizer, readTokenizerGoldens, tokenizerNames } from './smallTokenizers.ts';
import { loadTemplate, readConversations, readGoldens } from './stockTemplates.ts';

const tokenizerGoldens = readTokenizerGoldens();
const templateGoldens = readGoldens();
const conversations = readConversations();

describe.each(tokenizerNames)('the tokenizer kind %s', name => {
  const tokenizer = loadTokenizer(name);
  const golden = tokenizerGoldens[name];

  it.each(Object.entries(golden.plain))(
    'encodes and decodes the last message of %s as Hugging Face does',
    (key, plain) => {
      const text = conversations[key]!.at(-1)!.content;
      expect(tokenizer.encode(text)).toEqual(plain.ids);
      expect(tokenizer.decode(plain.ids)).toBe(plain.decoded);
    },
  );

  // The library takes U+FEFF for white space where a token swallows what follows it; Hugging Face does not.
  const isComparable = ([key]: [string, unknown]) => !(name === 'phi3' && key === 'oddSpaces');
  const rendered = Object.entries(golden.cases)
    .filter(isComparable)
    .map(([key, masked]) => ({
      key,
      masked,
      text: templateGoldens[golden.template]![key]!.text!,
      spans: templateGoldens[golden.template]![key]!.spans!.map(([start, end]) => ({ start, end })),
    }));

  it.each(rendered)('encodes the rendered $key as Hugging Face does', ({ text, masked }) => {
    expect(tokenizer.encode(text)).toEqual(masked.ids);
    expect(tokenizer.decode(masked.ids)).toBe(masked.decoded);
  });

  it.each(rendered.filter(c => !c.masked.straddles))('masks $key as offsets say', ({ text, spans, masked }) => {
    const { tokenIds, inSpan } = encodeSpans(tokenizer, text, spans);
    expect(tokenIds).toEqual(masked.ids);
    expect([...inSpan]).toEqual(masked.mask);
    // What stands before the first answer is encoded as the prompt alone will be.
    const prompt = spans[0] ? tokenIds.slice(0, inSpan.indexOf(1)) : tokenIds;
    expect(prompt).toEqual(tokenizer.encode(text.slice(0, spans[0]?.start)));
  });

  it.each(rendered.filter(c => c.masked.straddles))(
    'cuts $key where a token straddles a border',
    ({ text, spans, masked }) => {
      const { tokenIds, inSpan } = encodeSpans(tokenizer, text, spans);
      expect(tokenIds).not.toEqual(masked.ids);
      const first = spans[0]!;
      const prompt = tokenIds.slice(0, inSpan.indexOf(1));
      expect(prompt).toEqual(tokenizer.encode(text.slice(0, first.start)));
      const bytes = (ids: number[]) => Buffer.concat(ids.map(id => tokenizer.tokenBytes(id))).toString('utf8');
      expect(bytes(tokenIds).trimStart()).toBe(text.normalize(tokenizer.unicodeForm ?? undefined).trimStart());
    },
  );
});

describe.each(tokenizerNames.filter(name => tokenizerGoldens[name].tagged))('generation tags with %s', name => {
  const tagged = tokenizerGoldens[name].tagged!;
  const tokenizer = loadTokenizer(name);
  it.each(Object.entries(tagged.cases))('gives the mask of apply_chat_template for %s', (key, masked) => {
    const template = loadTemplate(tagged.template, { bos_token: tagged.bos ?? undefined, eos_token: tagged.eos });
    const { text, assistant } = template.render(conversations[key]!);
    const { tokenIds, inSpan } = encodeSpans(tokenizer, text, assistant);
    expect(tokenIds).toEqual(masked.ids);
    expect([...inSpan]).toEqual(masked.mask);
  });
});
