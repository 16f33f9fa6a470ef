import { describe, expect, it } from 'vitest';
import { CrashPolicy } from '../../../../src/host/processes/crashPolicy.ts';

describe('CrashPolicy', () => {
  it('restarts four times and gives up at the fifth crash within three minutes', () => {
    const policy = new CrashPolicy();
    expect([0, 1000, 2000, 3000, 4000].map(at => policy.noteCrash(at))).toEqual([true, true, true, true, false]);
    expect(policy.mayStart(5000)).toBe(false);
  });

  it('forgets crashes that are older than three minutes', () => {
    const policy = new CrashPolicy();
    for (const at of [0, 1000, 2000, 3000]) policy.noteCrash(at);
    expect(policy.noteCrash(180_500)).toBe(true);
  });

  it('starts again after a reset', () => {
    const policy = new CrashPolicy();
    for (const at of [0, 1, 2, 3, 4]) policy.noteCrash(at);
    policy.reset();
    expect(policy.mayStart(5)).toBe(true);
  });
});
