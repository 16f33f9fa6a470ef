import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Throttle } from '../../../../src/host/panels/throttle.ts';

describe('Throttle', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('acts at once, then at most once an interval, and never loses the last request', () => {
    const acts: number[] = [];
    const throttle = new Throttle(100, () => acts.push(Date.now()));
    const startedAt = Date.now();
    for (let i = 0; i < 50; i++) {
      throttle.request();
      vi.advanceTimersByTime(10);
    }
    vi.advanceTimersByTime(1000);
    expect(acts.map(at => at - startedAt)).toEqual([0, 100, 200, 300, 400, 500]);
  });

  it('waits longer where an act costs more', () => {
    let acts = 0;
    const throttle = new Throttle(
      () => acts * 100,
      () => acts++,
    );
    throttle.request();
    throttle.request();
    vi.advanceTimersByTime(100);
    expect(acts).toBe(2);
    throttle.request();
    vi.advanceTimersByTime(199);
    expect(acts).toBe(2);
    vi.advanceTimersByTime(1);
    expect(acts).toBe(3);
  });

  it('does nothing after it is disposed', () => {
    let acts = 0;
    const throttle = new Throttle(100, () => acts++);
    throttle.request();
    throttle.request();
    throttle.dispose();
    vi.advanceTimersByTime(1000);
    expect(acts).toBe(1);
  });
});
