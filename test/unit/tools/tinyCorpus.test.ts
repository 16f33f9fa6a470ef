import { describe, expect, it } from 'vitest';
import { generateSampleDataset } from '../../../src/tools/sampleDataset.ts';
import { generateTinyCorpus } from '../../../src/tools/tinyCorpus.ts';

const corpus = generateTinyCorpus(1, 30_000);
const texts = corpus.flatMap(row => row.messages.map(message => message.content));
const wordsOf = (text: string) => text.toLowerCase().match(/\p{L}+/gu) ?? [];

describe('generateTinyCorpus', () => {
  it('gives the same rows for the same seed, a prefix for fewer, and others for another seed', () => {
    expect(generateTinyCorpus(1, 500)).toEqual(corpus.slice(0, 500));
    expect(generateTinyCorpus(2, 50)).not.toEqual(corpus.slice(0, 50));
  });

  it('repeats no conversation', () => {
    expect(new Set(corpus.map(row => JSON.stringify(row))).size).toBe(corpus.length);
  });

  it('writes well-formed sentences', () => {
    const isSentence = /^[A-Z][\p{L}\p{M}',:.?! ]*[.?!]$/u;
    expect(texts.filter(text => !isSentence.test(text) || / {2}|undefined|\ba [aeio]/.test(text))).toEqual([]);
  });

  it('keeps to a vocabulary that a tiny model can learn', () => {
    const size = new Set(texts.flatMap(wordsOf)).size;
    expect(size).toBeGreaterThan(1000);
    expect(size).toBeLessThan(2000);
  });

  it('alternates user and assistant after at most one system message', () => {
    const shape = /^(?:system,)?(?:user,assistant,)+$/;
    expect(corpus.every(({ messages }) => shape.test(messages.map(({ role }) => `${role},`).join('')))).toBe(true);
  });

  it('knows the words of the sample dataset but none of its questions and answers', () => {
    const rows = generateSampleDataset();
    const said = new Set(texts);
    expect(rows.filter(row => said.has(row.question) || said.has(row.answer))).toEqual([]);
    const names = /\b(?:[A-Z]\p{L}+ (?:Room|Hall|Loft|Star|Goose|Anchor|Wind|Fish|Crab|Lantern|Island|Spoon))\b/gu;
    const sampleNames = new Set(rows.flatMap(row => row.answer.match(names) ?? []));
    expect(sampleNames.size).toBeGreaterThan(15);
    expect(texts.filter(text => (text.match(names) ?? []).some(name => sampleNames.has(name)))).toEqual([]);
    const known = new Set(texts.flatMap(wordsOf));
    const words = rows.flatMap(row => wordsOf(`${row.question} ${row.answer}`));
    expect(words.filter(word => known.has(word)).length / words.length).toBeGreaterThan(0.98);
  });
});
