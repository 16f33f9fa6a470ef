import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { DeviceQueue } from '../../../../src/core/runs/deviceQueue.ts';
import { withFileLock } from '../../../../src/core/runs/fileLock.ts';
import { judgeProcess, registerProcess, unregisterProcess } from '../../../../src/core/runs/processRegistry.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

afterEach(() => vi.unstubAllEnvs());

function freshState() {
  const state = temporaryFolder();
  vi.stubEnv('TUNING_FORK_STATE', state);
  const makeRun = (name: string) => {
    const run = join(state, name);
    mkdirSync(run);
    return run;
  };
  return { state, makeRun };
}

/** Makes this (living) process look like one that died: the start time on record is another one. */
function bury(state: string, nonce: string) {
  const path = join(state, 'processes', `${nonce}.json`);
  const entry = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  writeFileSync(path, JSON.stringify({ ...entry, startTime: 'long ago' }));
}

describe('judgeProcess', () => {
  it('knows a process that registered, for its own run alone', () => {
    const { state, makeRun } = freshState();
    const run = makeRun('run');
    const identity = registerProcess(run);
    expect(judgeProcess(identity, run)).toBe('alive');
    expect(judgeProcess(identity, makeRun('other'))).toBe('stranger');
    expect(statSync(join(state, 'processes', `${identity.nonce}.json`)).mode & 0o777).toBe(0o600);
    expect(statSync(join(state, 'processes')).mode & 0o777).toBe(0o700);
    unregisterProcess(identity.nonce);
    expect(judgeProcess(identity, run)).toBe('stranger');
  });

  it('takes a living pid that never registered, or with another start time, for a stranger', () => {
    const { makeRun } = freshState();
    const run = makeRun('run');
    const identity = registerProcess(run);
    expect(judgeProcess({ ...identity, pid: 1 }, run)).toBe('stranger');
    expect(judgeProcess({ ...identity, startTime: '5' }, run)).toBe('stranger');
    expect(judgeProcess({ ...identity, nonce: '0'.repeat(32) }, run)).toBe('stranger');
  });

  it('says that a registered process is gone when its pid runs something younger', () => {
    const { state, makeRun } = freshState();
    const run = makeRun('run');
    const identity = registerProcess(run);
    bury(state, identity.nonce);
    expect(judgeProcess({ ...identity, startTime: 'long ago' }, run)).toBe('gone');
  });
});

describe('DeviceQueue', () => {
  it('gives the device to the first, and to those who wait in order', async () => {
    const { makeRun } = freshState();
    const queue = new DeviceQueue('cpu');
    const runs = ['a', 'b', 'c'].map(makeRun);
    const [a, b, c] = runs.map(run => ({ run, identity: registerProcess(run) }));
    expect(await queue.enter(a!.run, a!.identity, true)).toEqual({ isTurn: true, ahead: 0, startNext: undefined });
    expect(await queue.enter(b!.run, b!.identity, true)).toMatchObject({ isTurn: false, ahead: 1 });
    expect(await queue.enter(c!.run, c!.identity, true)).toMatchObject({ isTurn: false, ahead: 2 });
    expect(await queue.leave(a!.run, a!.identity)).toBeUndefined();
    expect(await queue.enter(c!.run, c!.identity, true)).toMatchObject({ isTurn: false, ahead: 1 });
    expect(await queue.enter(b!.run, b!.identity, true)).toMatchObject({ isTurn: true });
    await queue.leave(b!.run, b!.identity);
    expect(await queue.enter(c!.run, c!.identity, true)).toMatchObject({ isTurn: true });
  });

  it('hands the next run without a process to whoever leaves, who keeps its place until it comes', async () => {
    const { makeRun } = freshState();
    const queue = new DeviceQueue('cpu');
    const [first, waiting, late] = ['first', 'waiting', 'late'].map(makeRun) as [string, string, string];
    const identity = registerProcess(first);
    await queue.enter(first, identity, false);
    await queue.enter(waiting, registerProcess(waiting), false);
    expect(await queue.leave(first, identity)).toBe(waiting);
    const other = registerProcess(late);
    expect(await queue.enter(late, other, true)).toEqual({ isTurn: false, ahead: 1, startNext: waiting });
    expect(await queue.enter(waiting, registerProcess(waiting), false)).toMatchObject({ isTurn: true });
  });

  it('lets nobody work on a run that another process has or waits for', async () => {
    const { makeRun } = freshState();
    const queue = new DeviceQueue('cpu');
    const [run, second] = [makeRun('run'), makeRun('second')];
    await queue.enter(run, registerProcess(run), false);
    await expect(queue.enter(run, registerProcess(run), false)).rejects.toMatchObject({ code: 'run-busy' });
    await queue.enter(second, registerProcess(second), true);
    await expect(queue.enter(second, registerProcess(second), true)).rejects.toMatchObject({ code: 'run-busy' });
  });

  it('takes the device from a process that died, and forgets those who died waiting', async () => {
    const { state, makeRun } = freshState();
    const queue = new DeviceQueue('cpu');
    const [dead, deadWaiting, next] = ['dead', 'deadWaiting', 'next'].map(makeRun) as [string, string, string];
    const holder = registerProcess(dead);
    const waiter = registerProcess(deadWaiting);
    await queue.enter(dead, holder, false);
    await queue.enter(deadWaiting, waiter, true);
    bury(state, holder.nonce);
    bury(state, waiter.nonce);
    expect(await queue.enter(next, registerProcess(next), false)).toMatchObject({ isTurn: true });
  });

  it('forgets runs that were deleted or withdrawn', async () => {
    const { makeRun } = freshState();
    const queue = new DeviceQueue('cpu');
    const [first, deleted, withdrawn] = ['first', 'deleted', 'withdrawn'].map(makeRun) as [string, string, string];
    const identity = registerProcess(first);
    await queue.enter(first, identity, false);
    for (const run of [deleted, withdrawn]) await queue.enter(run, registerProcess(run), false);
    rmSync(deleted, { recursive: true });
    expect(await queue.withdraw(withdrawn)).toBe(true);
    expect(await queue.withdraw(withdrawn)).toBe(false);
    expect(await queue.leave(first, identity)).toBeUndefined();
  });
});

describe('withFileLock', () => {
  it('lets one in at a time and leaves no file behind', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'lock');
    const seen: string[] = [];
    await Promise.all(
      ['a', 'b', 'c'].map(name =>
        withFileLock(path, () => {
          seen.push(`${name}+`, `${name}-`);
        }),
      ),
    );
    expect(seen).toHaveLength(6);
    for (let i = 0; i < 6; i += 2) expect(seen[i]!.slice(0, 1)).toBe(seen[i + 1]!.slice(0, 1));
    expect(readdirSync(folder)).toEqual([]);
  });

  it('breaks the lock of a dead process', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'lock');
    writeFileSync(path, JSON.stringify({ pid: process.pid, startTime: 'long ago', nonce: 'x' }));
    expect(await withFileLock(path, () => 'in')).toBe('in');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('lets go when the section throws', async () => {
    const folder = temporaryFolder();
    const fail = withFileLock(join(folder, 'lock'), () => {
      throw new Error('inside');
    });
    await expect(fail).rejects.toThrow('inside');
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('a group of runs', () => {
  it('shares the device until somebody else waits, and frees it when the last one leaves', async () => {
    const { makeRun } = freshState();
    const [first, second, third, stranger] = ['first', 'second', 'third', 'stranger'].map(makeRun);
    const ids = { first: registerProcess(first!), second: registerProcess(second!), third: registerProcess(third!) };
    const outside = registerProcess(stranger!);
    const trials = new DeviceQueue('cpu', 'search');
    const others = new DeviceQueue('cpu');
    expect(await trials.enter(first!, ids.first, true)).toMatchObject({ isTurn: true });
    expect(await trials.enter(second!, ids.second, true)).toMatchObject({ isTurn: true });
    expect(await others.enter(stranger!, outside, true)).toMatchObject({ isTurn: false, ahead: 2 });
    expect(await trials.enter(third!, ids.third, true)).toMatchObject({ isTurn: false, ahead: 3 });
    await trials.leave(first!, ids.first);
    expect(await others.enter(stranger!, outside, true)).toMatchObject({ isTurn: false, ahead: 1 });
    await trials.leave(second!, ids.second);
    expect(await others.enter(stranger!, outside, true)).toMatchObject({ isTurn: true });
    expect(await trials.enter(third!, ids.third, true)).toMatchObject({ isTurn: false });
  });

  it('does not let a run of another group in', async () => {
    const { makeRun } = freshState();
    const [first, other] = [makeRun('first'), makeRun('other')];
    await new DeviceQueue('cpu', 'search').enter(first, registerProcess(first), true);
    const answer = await new DeviceQueue('cpu', 'another').enter(other, registerProcess(other), true);
    expect(answer).toMatchObject({ isTurn: false, ahead: 1 });
  });
});
