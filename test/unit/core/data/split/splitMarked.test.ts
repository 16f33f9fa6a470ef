import { describe, expect, it } from 'vitest';
import type { Example } from '../../../../../src/core/data/example.ts';
import { splitExamples } from '../../../../../src/core/data/split/splitExamples.ts';
import { countAllowed, findUnfit, splitMarked } from '../../../../../src/core/data/split/splitMarked.ts';
import { hashQuestion } from '../../../../../src/core/data/synthetic.ts';

const ask = (question: string, line: number): Example => ({
  kind: 'chat',
  messages: [
    { role: 'user', content: question },
    { role: 'assistant', content: `answer to ${question}` },
  ],
  origin: { file: 'rows.jsonl', line },
});
const people = Array.from({ length: 40 }, (_, i) => ask(`What is number ${i}?`, i + 1));
const made = (from: Example, i: number): Example => ({
  ...ask(`Tell me about ${i}, made from ${from.origin.line}`, 100 + i),
  synthetic: { source: { question: hashQuestion(from), method: 'paraphrase' } },
});
const options = { seed: 3, evalRatio: 0.2, testRatio: 0.1 };

describe('splitMarked', () => {
  it('holds the same rows of people out with and without synthetic rows beside them, and never a synthetic one', () => {
    const before = splitExamples(people, options);
    const mixed = people.flatMap((example, i) => [made(example, i), example]);
    const after = splitMarked(mixed, options);
    expect(after.rows.filter((_, row) => row % 2 === 1)).toEqual(before.rows);
    expect(after.rows.filter((_, row) => row % 2 === 0).every(side => side === 'train')).toBe(true);
    expect(after.counts).toEqual({ ...before.counts, train: before.counts.train + 40 });
  });

  it('splits rows that are all synthetic as any others', () => {
    const all = people.map(made);
    expect(splitMarked(all, options)).toEqual(splitExamples(all, options));
    expect(splitMarked(all, options).counts.heldOut).toBe(8);
  });
});

describe('findUnfit', () => {
  const mixed = [...people, ...people.map(made)];

  it('leaves out what was made from a held-out question, or asks one', () => {
    const { rows: sides } = splitMarked(mixed, options);
    const copy: Example = { ...people[sides.indexOf('heldOut')]!, synthetic: { source: undefined } };
    const withCopy = [...mixed, copy];
    const { rows, leaked, surplus } = findUnfit(withCopy, splitMarked(withCopy, options), 1);
    const expected = people.flatMap((_, i) => (sides[i] === 'train' ? [] : [people.length + i]));
    expect([...rows]).toEqual([...expected, mixed.length]);
    expect({ leaked, surplus }).toEqual({ leaked: 13, surplus: 0 });
  });

  it('keeps synthetic rows to their share of the training rows', () => {
    const split = splitMarked(mixed, options);
    const { surplus, rows } = findUnfit(mixed, split, 0.25);
    const left = mixed.filter((_, row) => split.rows[row] === 'train' && !rows.has(row));
    expect(surplus).toBeGreaterThan(0);
    expect(left.filter(({ synthetic }) => synthetic !== undefined)).toHaveLength(countAllowed(28, 0.25));
    expect(findUnfit(mixed, split, 0).rows.size).toBe(40);
  });

  it('leaves rows alone where no person wrote any, or a program none', () => {
    for (const rows of [people, people.map(made)])
      expect(findUnfit(rows, splitMarked(rows, options), 0.1).rows.size).toBe(0);
  });
});
