import { describe, expect, it } from 'vitest';
import { countFreeBytes } from '../../../../../src/core/jobs/forecast/freeMemory.ts';

describe('countFreeBytes', () => {
  it.each([
    ['what is free where nothing limits the process', { systemFreeBytes: 8e9, allowedBytes: 0, usedBytes: 1e9 }, 8e9],
    ['what is free where the limit is no limit', { systemFreeBytes: 8e9, allowedBytes: 2 ** 64, usedBytes: 1e9 }, 8e9],
    ['what a container leaves of its own limit', { systemFreeBytes: 64e9, allowedBytes: 2e9, usedBytes: 0.5e9 }, 1.5e9],
    ['nothing where the limit is used up', { systemFreeBytes: 64e9, allowedBytes: 1e9, usedBytes: 2e9 }, 0],
  ])('is %s', (_what, memory, expected) => {
    expect(countFreeBytes(memory)).toBe(expected);
  });

  it('reads this machine when nothing is given', () => {
    expect(countFreeBytes()).toBeGreaterThan(0);
  });
});
