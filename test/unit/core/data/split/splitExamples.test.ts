import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findLeaks, groupNearRows } from '../../../../../src/core/data/check/checkExamples.ts';
import type { Example } from '../../../../../src/core/data/example.ts';
import { questionKey } from '../../../../../src/core/data/normalizeQuestion.ts';
import { splitExamples } from '../../../../../src/core/data/split/splitExamples.ts';

const ask = (question: string, line = 1, answer = 'Yes.'): Example => ({
  kind: 'chat',
  messages: [
    { role: 'user', content: question },
    { role: 'assistant', content: answer },
  ],
  origin: { file: 'f', line },
});

/** Questions with many repeats in other spellings. */
const spelled = fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 4 })).map(([n, spelling]) => {
  const plain = `what is number ${n}`;
  return [
    plain,
    `What is number ${n}?`,
    `  what is  NUMBER ${n} !`,
    `ｗｈａｔ is number ${n}`,
    `What\tis number “${n}”…`,
  ][spelling]!;
});
const ratio = fc.constantFrom(0, 0.05, 0.1, 0.3, 0.5, 0.9);

describe('splitExamples', () => {
  it('never puts equal questions on both sides, whatever their case, spaces, punctuation and width', () => {
    const property = fc.property(
      fc.array(spelled),
      fc.integer(),
      ratio,
      ratio,
      (questions, seed, evalRatio, testRatio) => {
        const examples = questions.map((question, line) => ask(question, line));
        const { rows } = splitExamples(examples, { seed, evalRatio, testRatio });
        const sides = new Map<string, string>();
        for (const [row, question] of questions.entries()) {
          const number = /\d+/.exec(question)![0];
          expect(sides.get(number) ?? rows[row]).toBe(rows[row]);
          sides.set(number, rows[row]!);
        }
      },
    );
    fc.assert(property);
  });

  it('keeps at least one row on each side that is asked for while questions last, and one to train on', () => {
    const property = fc.property(
      fc.array(spelled),
      fc.integer(),
      ratio,
      ratio,
      (questions, seed, evalRatio, testRatio) => {
        const examples = questions.map(question => ask(question));
        const { counts, groups } = splitExamples(examples, { seed, evalRatio, testRatio });
        expect(groups).toBe(new Set(examples.map(questionKey)).size);
        expect(counts.train + counts.heldOut + counts.test).toBe(questions.length);
        if (questions.length > 0) expect(counts.train).toBeGreaterThan(0);
        if (evalRatio > 0 && groups >= 2) expect(counts.heldOut).toBeGreaterThan(0);
        if (testRatio > 0 && groups >= 3) expect(counts.test).toBeGreaterThan(0);
        if (evalRatio === 0) expect(counts.heldOut).toBe(0);
      },
    );
    fc.assert(property);
  });

  it('gives the same sides for the same seed in any order of rows, and others for another seed', () => {
    const examples = Array.from({ length: 200 }, (_, n) => ask(`Question ${n}`, n));
    const options = { seed: 7, evalRatio: 0.1, testRatio: 0.1 };
    const split = splitExamples(examples, options);
    expect(splitExamples(examples, options)).toEqual(split);
    expect(splitExamples([...examples].reverse(), options).rows).toEqual([...split.rows].reverse());
    expect(splitExamples(examples, { ...options, seed: 8 }).rows).not.toEqual(split.rows);
  });

  it('honours the ratios by rows', () => {
    const examples = Array.from({ length: 1000 }, (_, n) => ask(`Question ${n % 700}`, n));
    const { counts } = splitExamples(examples, { seed: 1, evalRatio: 0.1, testRatio: 0.05 });
    expect(counts.heldOut).toBeGreaterThanOrEqual(98);
    expect(counts.heldOut).toBeLessThanOrEqual(100);
    expect(counts.test).toBeGreaterThanOrEqual(48);
    expect(counts.test).toBeLessThanOrEqual(50);
  });

  it('holds nothing out when every row asks the same', () => {
    const { counts } = splitExamples([ask('Why?'), ask('why', 2, 'No.')], { seed: 1, evalRatio: 0.5, testRatio: 0 });
    expect(counts).toEqual({ train: 2, heldOut: 0, test: 0 });
  });

  it('tells questions of nothing but punctuation apart', () => {
    expect(questionKey(ask('?'))).not.toBe(questionKey(ask('!')));
  });
});

describe('splitExamples with near duplicates', () => {
  const makeRow = (question: string, answer: string, line: number) => ({
    kind: 'chat' as const,
    messages: [
      { role: 'user' as const, content: question },
      { role: 'assistant' as const, content: answer },
    ],
    origin: { file: 'rows.jsonl', line },
  });
  const words = 'anchor basalt copper drum elbow fern garnet hollow iris jetty kelp lantern marble nettle oak'.split(
    ' ',
  );
  const sentence = (n: number) =>
    Array.from({ length: 16 }, (_, i) => `${words[(n * 7 + i * ((n % 5) + 1)) % 15]}${(n * 13 + i) % 89}`).join(' ');
  /** 60 rows, each followed by one that differs in a word, asked in other words. */
  const rows = Array.from({ length: 60 }, (_, n) => [
    makeRow(`Say ${n}`, sentence(n), 2 * n + 1),
    makeRow(`Tell ${n}`, `${sentence(n)} so`, 2 * n + 2),
  ]).flat();
  const options = { seed: 5, evalRatio: 0.2, testRatio: 0.1 };
  const countLeaks = async ({ rows: sides }: { rows: readonly string[] }) => {
    const of = (isTrain: boolean) => rows.filter((_, row) => (sides[row] === 'train') === isTrain);
    const leaks = await findLeaks(of(true), of(false), { similarity: 0.8 });
    return leaks.filter(leak => leak !== undefined).length;
  };

  it('keeps nearly equal rows on one side, so that nothing leaks', async () => {
    expect(await countLeaks(splitExamples(rows, options))).toBeGreaterThan(5);
    const split = splitExamples(rows, options, await groupNearRows(rows, {}));
    expect(await countLeaks(split)).toBe(0);
    expect(split.groups).toBe(60);
    expect(split.counts).toEqual({ train: 84, heldOut: 24, test: 12 });
  });

  it('does not depend on the order of the rows', async () => {
    const turned = [...rows].reverse();
    const split = splitExamples(rows, options, await groupNearRows(rows, {}));
    const other = splitExamples(turned, options, await groupNearRows(turned, {}));
    expect([...other.rows].reverse()).toEqual(split.rows);
  });
});
