import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
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
