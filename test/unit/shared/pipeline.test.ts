import { describe, expect, it } from 'vitest';
import { type StageProgress, tabulateForgetting } from '../../../src/shared/pipeline.ts';

function stage(
  name: string,
  losses: readonly (readonly [set: string, lossNats: number, tokens?: number])[],
): StageProgress {
  const measures = losses.map(([set, lossNats, supervisedTokens = 10]) => {
    return { set, run: set, rows: 2, lossNats, supervisedTokens };
  });
  return { name, state: 'finished', key: null, run: name, outputSha256: null, measures };
}

describe('tabulateForgetting', () => {
  it('compares each loss with that right after the own stage of the rows', () => {
    const stages = [
      stage('a', [['a', 2]]),
      stage('b', [
        ['a', 2.5],
        ['b', 1],
      ]),
      stage('c', [
        ['a', 1.5],
        ['b', 1.25],
        ['c', 3],
      ]),
      stage('waits', []),
    ];
    expect(tabulateForgetting({ stages })).toEqual({
      sets: ['a', 'b', 'c'],
      rows: [
        { stage: 'a', cells: [{ lossNats: 2, changeNats: null }, null, null] },
        { stage: 'b', cells: [{ lossNats: 2.5, changeNats: 0.5 }, { lossNats: 1, changeNats: null }, null] },
        {
          stage: 'c',
          cells: [
            { lossNats: 1.5, changeNats: -0.5 },
            { lossNats: 1.25, changeNats: 0.25 },
            { lossNats: 3, changeNats: null },
          ],
        },
      ],
    });
  });

  it('leaves out sets that nobody held rows out for, and does not compare losses of other tokens', () => {
    const stages = [stage('a', [['a', 2]]), stage('none', [['a', 3]]), stage('student', [['a', 4, 12]])];
    const { sets, rows } = tabulateForgetting({ stages });
    expect(sets).toEqual(['a']);
    expect(rows.map(({ cells }) => cells[0]?.changeNats)).toEqual([null, 1, null]);
    expect(tabulateForgetting({ stages: [stage('a', [])] })).toEqual({ sets: [], rows: [] });
  });
});
