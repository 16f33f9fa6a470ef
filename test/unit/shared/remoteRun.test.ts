import { describe, expect, it } from 'vitest';
import { isElsewhere, judgeRemote, RemoteWatch, remoteQuietMs } from '../../../src/shared/remoteRun.ts';

const start = Date.parse('2026-11-24T10:00:00Z');
const stamp = (ms: number) => ({ heartbeatAt: new Date(ms).toISOString() });

describe('isElsewhere', () => {
  it('is true of another machine only, and of none that is not named', () => {
    expect([isElsewhere({ host: 'a' }, 'b'), isElsewhere({ host: 'a' }, 'a'), isElsewhere({}, 'a')]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe('RemoteWatch', () => {
  function watch(skewMs: number) {
    let nowMs = start;
    const remote = new RemoteWatch(() => nowMs);
    return {
      /** The other machine's clock is `skewMs` ahead of this one. */
      beat: (afterMs: number) => {
        nowMs += afterMs;
        return remote.look(stamp(nowMs + skewMs), 'node17');
      },
      wait: (afterMs: number, heartbeatAt: number) => {
        nowMs += afterMs;
        return remote.look(stamp(heartbeatAt), 'node17');
      },
      now: () => nowMs,
    };
  }

  it.each([0, -4 * 60_000, 4 * 60_000, -3_600_000, 3_600_000])('follows a machine whose clock is %d ms off', skewMs => {
    const { beat, wait, now } = watch(skewMs);
    beat(0);
    expect(beat(1000)).toEqual({ host: 'node17', quietMs: 0, isAlive: true });
    const last = now() + skewMs;
    expect(wait(60_000, last)).toMatchObject({ quietMs: 60_000, isAlive: true });
    expect(wait(remoteQuietMs, last)).toMatchObject({ quietMs: 60_000 + remoteQuietMs, isAlive: false });
    expect(beat(1000).isAlive).toBe(true);
  });

  it('believes a first sign within what clocks may differ, and says how old it seems', () => {
    expect(watch(0).wait(0, start - 120_000)).toMatchObject({ quietMs: 120_000, isAlive: true });
    expect(watch(0).wait(0, start - 3_600_000)).toMatchObject({ quietMs: 3_600_000, isAlive: false });
    expect(watch(0).wait(0, start + 60_000)).toMatchObject({ quietMs: 0, isAlive: true });
  });

  it('does not go on believing a first sign that never changes', () => {
    const { wait } = watch(0);
    wait(0, start);
    expect(wait(remoteQuietMs, start).isAlive).toBe(false);
  });
});

describe('judgeRemote', () => {
  it('takes a sign as young by the clock of its writer or by that of the disk', () => {
    expect(judgeRemote(stamp(start), 10 * remoteQuietMs, start + 1000)).toBe(true);
    expect(judgeRemote(stamp(start - 3_600_000), 1000, start)).toBe(true);
    expect(judgeRemote(stamp(start - 3_600_000), 3_600_000, start)).toBe(false);
  });
});
