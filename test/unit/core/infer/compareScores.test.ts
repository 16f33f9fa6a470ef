import { describe, expect, it } from 'vitest';
import { compareScores } from '../../../../src/core/infer/compareScores.ts';
import { exactMatch } from '../../../../src/core/infer/exactMatch.ts';

describe('compareScores', () => {
  it('gives the mean difference and counts wins, ties and losses', () => {
    const { difference, wins, ties, losses } = compareScores([1, 0.5, 0.2, 0.75], [0.5, 0.5, 0.4, 0.25], 1);
    expect(difference).toBeCloseTo((0.5 + 0 - 0.2 + 0.5) / 4, 12);
    expect([wins, ties, losses]).toEqual([2, 1, 1]);
  });

  it('has an interval of no width when every question differs by the same', () => {
    const { low, high } = compareScores([0.75, 0.5, 1], [0.5, 0.25, 0.75], 1);
    expect([low, high]).toEqual([0.25, 0.25]);
  });

  it('has the interval of the binomial distribution when differences are 0 or 1', () => {
    // The mean of 20 draws with p = 0.5 is binomial / 20: its 2.5 % and 97.5 % quantiles are 6 and 14 of 20.
    const first = Array.from({ length: 20 }, (_, i) => i % 2);
    const { low, high } = compareScores(first, new Array(20).fill(0), 3);
    expect(low).toBeCloseTo(0.3, 9);
    expect(high).toBeCloseTo(0.7, 9);
  });

  it('has the interval that the normal approximation predicts for many questions', () => {
    const first = Array.from({ length: 400 }, (_, i) => (i % 10) / 10);
    const { difference, low, high } = compareScores(first, new Array(400).fill(0), 5);
    const halfWidth = 1.96 * Math.sqrt(0.0825 / 400); // variance of 0, 0.1 ... 0.9
    expect(difference - low).toBeCloseTo(halfWidth, 2);
    expect(high - difference).toBeCloseTo(halfWidth, 2);
  });

  it('is the same for the same seed', () => {
    const scores = [0.1, 0.9, 0.4, 0.7, 0.3];
    const zeros = [0, 0, 0, 0, 0];
    expect(compareScores(scores, zeros, 9)).toEqual(compareScores(scores, zeros, 9));
  });
});

describe('exactMatch', () => {
  it('looks at words and their order alone', () => {
    expect(exactMatch(' The  dog, walks! ', 'the dog walks')).toBe(1);
    expect(exactMatch('walks the dog', 'the dog walks')).toBe(0);
    expect(exactMatch('', 'the dog')).toBe(0);
  });
});
