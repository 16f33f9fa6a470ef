import { describe, expect, it } from 'vitest';
import { EndedRuns } from '../../../../src/host/runs/endedRuns.ts';
import { estimateRemainingMs, formatTimeLeft } from '../../../../src/host/runs/remainingTime.ts';
import { thinSteps } from '../../../../src/host/runs/runSnapshot.ts';
import type { ShownState } from '../../../../src/shared/runState.ts';
import { makeStep } from '../runFixture.ts';

const steps = (count: number) => Array.from({ length: count }, (_, i) => makeStep(i + 1));

describe('thinSteps', () => {
  it('keeps all rows up to the limit', () => expect(thinSteps(steps(100), 100)).toHaveLength(100));

  it('keeps first, last and every extreme of a long run, in order', () => {
    const rows = steps(100_000).map(row => ({ ...row, lossNats: 2 + Math.sin(row.step / 500) }));
    rows[43_210] = { ...rows[43_210]!, lossNats: 50 };
    rows[60_001] = { ...rows[60_001]!, lossNats: -1 };
    const thin = thinSteps(rows, 2000);
    expect(thin.length).toBeLessThanOrEqual(2002);
    expect([thin[0]!.step, thin.at(-1)!.step]).toEqual([1, 100_000]);
    expect(Math.max(...thin.map(r => r.lossNats))).toBe(50);
    expect(Math.min(...thin.map(r => r.lossNats))).toBe(-1);
    expect(thin.every((row, i) => i === 0 || row.step > thin[i - 1]!.step)).toBe(true);
  });
});

describe('estimateRemainingMs', () => {
  it('follows the speed of the newest steps', () => {
    const slowStart = [
      makeStep(1, { elapsedMs: 60_000 }),
      ...steps(100).map(r => ({ ...r, elapsedMs: 60_000 + r.step * 500 })),
    ];
    expect(estimateRemainingMs(slowStart, 200)).toBe(50_000);
  });

  it('knows nothing from one step, without a total, or across attempts', () => {
    expect(estimateRemainingMs(steps(1), 10)).toBeNull();
    expect(estimateRemainingMs(steps(5), 0)).toBeNull();
    expect(estimateRemainingMs([...steps(5), makeStep(6, { attempt: 2, elapsedMs: 10 })], 10)).toBeNull();
  });

  it('is over at the last step', () => expect(estimateRemainingMs(steps(10), 10)).toBe(0));
});

describe('formatTimeLeft', () => {
  it.each([
    [4_400, '4 s'],
    [59_600, '1 min'],
    [125_000, '2 min'],
    [7_500_000, '2 h 05 min'],
  ])('writes %d ms as %s', (ms, text) => expect(formatTimeLeft(ms)).toBe(text));
});

describe('EndedRuns', () => {
  function follow(remembered: string[] = []) {
    let memory = remembered;
    const ended = new EndedRuns({ read: () => memory, write: runs => void (memory = [...runs]) });
    return { note: (state: ShownState) => ended.note({ path: '/run', state }), memory: () => memory };
  }

  it('tells the end of a run once', () => {
    const { note, memory } = follow();
    expect([note('running'), note('running'), note('finished'), note('finished')]).toEqual([false, false, true, false]);
    expect(memory()).toEqual([]);
  });

  it('tells the end of a run that ended while no window was open', () => {
    expect(follow(['/run']).note('failed')).toBe(true);
  });

  it('says nothing of runs that were at rest all along or that the user stopped', () => {
    expect(follow().note('finished')).toBe(false);
    const { note } = follow();
    note('running');
    expect(note('paused')).toBe(false);
  });

  it('tells the end of each attempt', () => {
    const { note } = follow();
    expect([note('running'), note('interrupted'), note('running'), note('finished')]).toEqual([
      false,
      true,
      false,
      true,
    ]);
  });
});
