import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitWords, tokenF1 } from '../../../src/shared/tokenF1.ts';

describe('splitWords', () => {
  it('drops case and punctuation and keeps numbers', () => {
    expect(splitWords('The dose: 5 mg, "twice" daily.')).toEqual(['the', 'dose', '5', 'mg', 'twice', 'daily']);
  });

  it('keeps accents and takes each ideograph for a word', () => {
    expect(splitWords('Über 貧血です')).toEqual(['über', '貧', '血', 'で', 'す']);
  });
});

describe('tokenF1', () => {
  it('is 2 x shared words over all words', () => {
    expect(tokenF1('too few red cells', 'few red blood cells')).toBeCloseTo((2 * 3) / 8, 12);
  });

  it('counts a repeated word only as often as the reference has it', () => {
    expect(tokenF1('red red red', 'red cells')).toBeCloseTo((2 * 1) / 5, 12);
  });

  it('is 1 for the same words in any order and case, 0 without a common word', () => {
    expect(tokenF1('Red CELLS.', 'cells, red')).toBe(1);
    expect(tokenF1('white', 'red cells')).toBe(0);
  });

  it('is 0 when only one text has words, 1 when neither has', () => {
    expect([tokenF1('', 'red'), tokenF1('red', '...'), tokenF1('', '!')]).toEqual([0, 0, 1]);
  });

  it('is the same both ways and lies between 0 and 1', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        const f1 = tokenF1(a, b);
        return f1 === tokenF1(b, a) && f1 >= 0 && f1 <= 1;
      }),
    );
  });
});
