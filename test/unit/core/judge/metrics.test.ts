import { describe, expect, it } from 'vitest';
import { bleuFigure, countBleu, tokenize13a } from '../../../../src/core/judge/bleu.ts';
import { chrFFigure, countChrF } from '../../../../src/core/judge/chrF.ts';
import { adjustByHolm } from '../../../../src/core/judge/holm.ts';
import { countLabels, findLabels, macroF1Figure, readLabel } from '../../../../src/core/judge/labelTask.ts';
import { measureCandidates } from '../../../../src/core/judge/measureCandidates.ts';
import { askVerdict, combineVerdicts, readVerdict } from '../../../../src/core/judge/pairwiseJudge.ts';
import { rougeL } from '../../../../src/core/judge/rougeL.ts';
import { meanFigure, toRowSums } from '../../../../src/core/judge/rowSums.ts';
import { Glossary } from '../../../../src/core/judge/termAccuracy.ts';

const add = (rows: readonly (readonly number[])[]): number[] =>
  rows[0]!.map((_, i) => rows.reduce((sum, row) => sum + row[i]!, 0));

describe('text metrics', () => {
  it('give the whole scale: nothing shared, all shared', () => {
    const text = 'The gate closes at six in winter.';
    expect(bleuFigure.of(countBleu(text, text), 1)).toBeCloseTo(100, 9);
    expect(chrFFigure.of(countChrF(text, text), 1)).toBeCloseTo(100, 9);
    expect(rougeL(text, text)).toBe(1);
    for (const answer of ['', 'zzz qqq']) {
      expect(bleuFigure.of(countBleu(answer, text), 1)).toBe(0);
      expect(chrFFigure.of(countChrF(answer, text), 1)).toBe(0);
      expect(rougeL(answer, text)).toBe(0);
    }
  });

  it('count ROUGE-L by the longest common subsequence', () => {
    // "the cat the mat": 4 of 6 and 5 words.
    expect(rougeL('the cat sat on the mat', 'the black cat left the mat'.replace('left ', ''))).toBeCloseTo(8 / 11, 12);
  });

  it('add up before BLEU divides: two rows are no mean of two figures', () => {
    const rows = [countBleu('a b c d', 'a b c d'), countBleu('a b x y', 'a b c d')];
    // Orders 1 to 4: 6 of 8, 4 of 6, 2 of 4, 1 of 2.
    expect(bleuFigure.of(add(rows), 2)).toBeCloseTo(100 * (0.75 * (4 / 6) * 0.5 * 0.5) ** 0.25, 9);
  });

  it('divide text as mteval-v13a does', () => {
    expect(tokenize13a('It costs 3.50, not 4-5 (maybe) &quot;x&quot;.')).toEqual([
      'It',
      'costs',
      '3.50',
      ',',
      'not',
      '4',
      '-',
      '5',
      '(',
      'maybe',
      ')',
      '"',
      'x',
      '"',
      '.',
    ]);
  });
});

describe('Glossary', () => {
  it('counts terms of the reference that the question does not name, the longest at each place', () => {
    const glossary = new Glossary([
      ['diabetes'],
      ['type 2 diabetes'],
      ['insulin'],
      ['heart attack', 'myocardial infarction'],
    ]);
    expect(glossary.size).toBe(4);
    const reference = 'Type 2 diabetes is treated with insulin; it may lead to a heart attack.';
    expect(
      glossary.score('Insulin, and a Myocardial Infarction may follow', reference, 'What is type 2 diabetes?'),
    ).toEqual([2, 2]);
    expect(glossary.score('insulinoma', reference, 'What is type 2 diabetes?')).toEqual([0, 2]);
    expect(glossary.score('insulin', 'no term here', 'q')).toBeUndefined();
  });
});

describe('label task', () => {
  it('finds labels in short references that repeat, and none in sentences', () => {
    expect(findLabels(['yes', 'No', 'yes', 'no', 'Yes'])).toEqual(['No', 'yes']);
    expect(findLabels(['a', 'b', 'c'])).toBeUndefined();
    expect(findLabels(['this is a long answer of a person who explains it', 'no', 'no', 'no', 'no'])).toBeUndefined();
  });

  it('reads the label that an answer is, or names first', () => {
    const labels = ['positive', 'very positive', 'negative'];
    expect(readLabel(' Positive. ', labels)).toBe(0);
    expect(readLabel('The text is very positive, not negative', labels)).toBe(1);
    expect(readLabel('nothing', labels)).toBe(-1);
  });

  it('averages F1 over labels, whatever their frequency', () => {
    const rows = [countLabels(0, 0, 2), countLabels(0, 0, 2), countLabels(0, 1, 2), countLabels(-1, 1, 2)];
    expect(macroF1Figure(2).of(add(rows), 4)).toBeCloseTo((4 / 5 + 0) / 2, 12);
  });
});

describe('pairwise judge', () => {
  it('shows the candidate at both places and reads the verdict', () => {
    const pair = { question: 'q', reference: 'r', candidate: 'mine', opponent: 'theirs' };
    expect(askVerdict(pair, 'first').at(-1)!.content).toContain('[Answer A]\nmine');
    expect(askVerdict(pair, 'second').at(-1)!.content).toContain('[Answer A]\ntheirs');
    expect(readVerdict('A', 'first')).toBe('candidate');
    expect(readVerdict('Both are fine, but I say B.', 'second')).toBe('candidate');
    expect(readVerdict('tie', 'first')).toBe('tie');
    expect(readVerdict('I cannot say', 'first')).toBe('unclear');
  });

  it.each([
    ['B is a better answer', 'B'],
    ['A is better than B', 'A'],
    ['A better answer is B', 'B'],
    ['Answer: B, as A leaves out the dose', 'B'],
    ['**Verdict:** A', 'A'],
    ['The better answer is A.', 'A'],
    ['Answer A is clearly better than answer B.', 'A'],
    ['A\n\nB is a longer text', 'A'],
    ['B because A is wrong', 'B'],
    ['b.', 'B'],
    ["It's a tie: both say the same", 'tie'],
    ['A tie', 'tie'],
    ['TIE. A and B say the same', 'tie'],
    ['A is less complete than B', 'unclear'],
    ['A and B are as good', 'unclear'],
    ['A, B or TIE?', 'unclear'],
    ['B is worse', 'unclear'],
    ['I prefer neither A nor B', 'unclear'],
  ])('reads "%s" as %s', (reply, said) => {
    expect(readVerdict(reply, 'first')).toBe({ A: 'candidate', B: 'opponent' }[said] ?? said);
    expect(readVerdict(reply, 'second')).toBe({ A: 'opponent', B: 'candidate' }[said] ?? said);
  });

  it('takes a preference that turns with the order for a tie', () => {
    expect(combineVerdicts('candidate', 'opponent')).toEqual({ score: 0.5, isContradiction: true });
    expect(combineVerdicts('candidate', 'candidate')).toEqual({ score: 1, isContradiction: false });
    expect(combineVerdicts('opponent', 'tie')).toEqual({ score: 0.5, isContradiction: false });
    expect(combineVerdicts('unclear', 'unclear')).toBeUndefined();
  });
});

describe('measureCandidates', () => {
  const sums = (rows: readonly (number | undefined)[]) =>
    toRowSums(
      rows.map(x => (x === undefined ? x : [x])),
      meanFigure,
    );

  it('finds a difference that is there, and none between equals, over the rows that all have', () => {
    const first = Array.from({ length: 60 }, (_, i) => (i % 7) / 7);
    const better = first.map((x, i) => x + 0.1 + (i % 3) / 30);
    const shaken = first.map((x, i) => x + ((i * 13) % 11) / 50 - 0.1);
    const outcome = measureCandidates({
      figure: meanFigure,
      better: 'higher',
      seed: 1,
      sums: new Map([
        ['a', sums([...first, undefined])],
        ['b', sums([...better, 1])],
        ['c', sums([...shaken, 1])],
      ]),
    });
    expect(outcome.values.map(({ rows }) => rows)).toEqual([60, 60, 60]);
    const [ba, ca] = outcome.differences;
    expect(ba).toMatchObject({ first: 'b', second: 'a', wins: 60, ties: 0, losses: 0 });
    expect(ba!.low).toBeGreaterThan(0.1);
    expect(ba!.adjustedP).toBeLessThan(0.001);
    expect(ca!.low).toBeLessThan(0);
    expect(ca!.high).toBeGreaterThan(0);
    expect(ca!.adjustedP).toBeGreaterThan(0.05);
  });

  it('covers the true mean in about 95 of 100 samples', () => {
    let covered = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const rows = Array.from({ length: 40 }, (_, i) => (Math.sin((i + 1) * seed * 12.9898) * 43758.5453) % 1);
      const [value] = measureCandidates({
        figure: meanFigure,
        better: 'higher',
        seed,
        sums: new Map([['a', sums(rows)]]),
      }).values;
      if (value!.low <= 0 && value!.high >= 0) covered++;
    }
    expect(covered).toBeGreaterThan(48);
  });

  it('refuses a figure that is not a number, which would look like a sure difference', () => {
    const all = new Map([
      ['a', sums([1, 2, 3])],
      ['b', sums([1, Number.NaN, 3])],
    ]);
    expect(() => measureCandidates({ figure: meanFigure, better: 'lower', seed: 1, sums: all })).toThrow(
      expect.objectContaining({ code: 'not-finite', message: expect.stringContaining('b: row 2') }),
    );
  });

  it('corrects by Holm, never falling', () => {
    expect(adjustByHolm([0.04, 0.01, 0.03])).toEqual([0.06, 0.03, 0.06]);
  });
});
