import { describe, expect, it } from 'vitest';
import type { Example } from '../../../../../src/core/data/example.ts';
import { measureDrift } from '../../../../../src/core/jobs/drift/measureDrift.ts';
import { bootstrapDifference } from '../../../../../src/core/jobs/drift/measureLossDrift.ts';
import { chooseSignificant, compareBags, compareNumbers } from '../../../../../src/core/jobs/drift/permutationTest.ts';
import { createGenerator } from '../../../../../src/core/text/seededOrder.ts';

const harbour = 'harbour tide rope mast anchor keel sail deck crew storm'.split(' ');
const kitchen = 'oven flour knead dough yeast crust butter sugar whisk bake'.split(' ');

/** Rows of words drawn from `words`, so long on average. */
function makeRows(count: number, seed: number, words: readonly string[], length = 12): Example[] {
  const next = createGenerator([seed]);
  const draw = (below: number) => Math.floor((next() / 2 ** 32) * below);
  return Array.from({ length: count }, (_, i) => {
    const text = Array.from({ length: length + draw(6) }, () => words[draw(words.length)]!).join(' ');
    return {
      kind: 'chat',
      messages: [
        { role: 'user', content: `question ${text.slice(0, 20)}` },
        { role: 'assistant', content: text },
      ],
      origin: { file: 'rows.jsonl', line: i + 1 },
    };
  });
}

/** Vectors by the first word that is known: two topics lie apart. */
const embed = async (texts: readonly string[]) => {
  const values = new Float32Array(texts.length * 2);
  for (const [row, text] of texts.entries()) {
    const share = kitchen.filter(word => text.includes(word)).length / 10;
    values.set([share > 0.2 ? 1 : 0, share > 0.2 ? 0 : 1], row * 2);
  }
  return { count: texts.length, size: 2, values };
};
const options = { sampleRows: 300, permutations: 199, embed };
const strict = { ...options, permutations: 999 };

describe('measureDrift', () => {
  it('finds a planted shift of words, length and topics, and says which', async () => {
    const old = makeRows(120, 1, harbour);
    const fresh = [...makeRows(20, 2, harbour, 40), ...makeRows(40, 3, kitchen, 40)];
    const { length, vocabulary, topics, rows } = await measureDrift(old, fresh, { ...strict, seed: 1 });
    expect(rows).toEqual({ old: 120, new: 60, sampledOld: 120, sampledNew: 60 });
    expect(length).toMatchObject({ isShifted: true });
    expect(length.newMedian).toBeGreaterThan(2 * length.oldMedian);
    expect(vocabulary.isShifted).toBe(true);
    expect(vocabulary.moreOften.every(word => kitchen.includes(word))).toBe(true);
    expect(vocabulary.lessOften.every(word => harbour.includes(word) || word === 'question')).toBe(true);
    expect(topics).toMatchObject({ isShifted: true });
    expect(topics!.list[0]!.newShare).toBeGreaterThan(topics!.list[0]!.oldShare + 0.5);
  });

  it('tells one kind of shift from another', async () => {
    const old = makeRows(120, 1, harbour);
    const longer = await measureDrift(old, makeRows(60, 2, harbour, 40), { ...strict, seed: 1 });
    expect([longer.length.isShifted, longer.topics!.isShifted]).toEqual([true, false]);
    const other = await measureDrift(makeRows(120, 1, harbour), makeRows(60, 2, kitchen), { ...strict, seed: 1 });
    expect(other.topics!.isShifted).toBe(true);
  });

  it('reports no shift where there is none, over a hundred datasets', async () => {
    let told = 0;
    for (let seed = 0; seed < 100; seed++) {
      const rows = [...makeRows(50, 1000 + seed, harbour), ...makeRows(25, 5000 + seed, harbour)];
      const { length, vocabulary, topics } = await measureDrift(rows.slice(0, 50), rows.slice(50), {
        ...strict,
        permutations: 499,
        seed,
      });
      if (length.isShifted || vocabulary.isShifted || topics!.isShifted) told++;
    }
    expect(told).toBeLessThanOrEqual(3);
  });
});

describe('permutation tests', () => {
  it('give p-values that are even where nothing differs', () => {
    const pValues = Array.from({ length: 200 }, (_, seed) => {
      const next = createGenerator([seed, 9]);
      const numbers = (length: number) => Array.from({ length }, () => next());
      return compareNumbers(numbers(37), numbers(23), { permutations: 199, seed }).pValue;
    });
    const below = (limit: number) => pValues.filter(p => p <= limit).length / pValues.length;
    expect(below(0.5)).toBeGreaterThan(0.38);
    expect(below(0.5)).toBeLessThan(0.62);
    expect(below(0.05)).toBeLessThan(0.11);
  });

  it('measure 0 for equal groups and 1 for groups that share nothing', () => {
    const bag = (...features: number[]) => Int32Array.from(features);
    const how = { permutations: 19, seed: 1 };
    expect(compareBags([bag(0, 1)], [bag(0, 1)], 2, how).statistic).toBeCloseTo(0);
    expect(compareBags([bag(0), bag(0)], [bag(1)], 2, how).statistic).toBeCloseTo(1);
    expect(compareNumbers([1, 2, 3], [1, 2, 3], how).statistic).toBe(0);
    expect(compareNumbers([1, 2], [3, 4, 4], how).statistic).toBe(1);
  });

  it('choose by Holm: the smallest must pass the hardest bound', () => {
    expect(chooseSignificant([0.004, 0.003, 0.2], 0.01)).toEqual([true, true, false]);
    expect(chooseSignificant([0.004, 0.004, 0.2], 0.01)).toEqual([false, false, false]);
  });
});

describe('bootstrapDifference', () => {
  it('holds the true difference in about 95 of 100 cases', () => {
    let held = 0;
    for (let seed = 0; seed < 100; seed++) {
      const next = createGenerator([seed, 3]);
      const rows = (count: number, mean: number) =>
        Array.from({ length: count }, () => ({ lossNatsSum: 10 * (mean + next() / 2 ** 32 - 0.5), tokens: 10 }));
      const [low, high] = bootstrapDifference(rows(40, 2.5), rows(60, 2), seed);
      if (low <= 0.5 && high >= 0.5) held++;
    }
    expect(held).toBeGreaterThanOrEqual(88);
    expect(held).toBeLessThan(100);
  });
});
