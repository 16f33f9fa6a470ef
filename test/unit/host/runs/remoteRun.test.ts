import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { RunReader } from '../../../../src/host/runs/runReader.ts';
import { describeRemote } from '../../../../webview/run/describeRemote.ts';
import { makeStatus, writeRun } from '../runFixture.ts';
import { useTemporaryFolder } from '../temporaryFolder.ts';

const id = '20261124-093000-capitals-1f3a';
const identity = { pid: 1, startTime: '5', nonce: 'a'.repeat(32), host: 'node17' };

describe('a run that another machine works on', () => {
  const folder = useTemporaryFolder();

  it('is shown by its signs of life, and its pid is never asked about here', async () => {
    let now = Date.parse('2026-11-24T10:00:00Z');
    let asked = 0;
    const isAlive = async () => {
      asked++;
      return true;
    };
    const beat = () =>
      writeRun(folder(), id, {
        'status.json': makeStatus({ identity, heartbeatAt: new Date(now).toISOString() }),
      });
    const run = new RunReader(beat(), folder(), isAlive, () => now);
    await run.refreshSummary();
    expect([run.state, run.remote]).toEqual(['running', { host: 'node17', quietMs: 0, isAlive: true }]);
    now += 1000;
    beat();
    await run.refreshSummary();
    now += 200_000;
    expect(await run.refreshSummary()).toBe(true);
    expect([run.state, run.remote?.quietMs]).toEqual(['interrupted', 200_000]);
    expect(asked).toBe(0);
  });

  it('is judged by its process where the machine is this one', async () => {
    const path = writeRun(folder(), id, {
      'status.json': makeStatus({ identity: { ...identity, host: hostname() } }),
    });
    const run = new RunReader(path, folder(), async () => false, Date.now);
    await run.refreshSummary();
    expect([run.state, run.remote]).toEqual(['interrupted', null]);
  });
});

describe('describeRemote', () => {
  it('names the machine, and since when nothing was heard of it', () => {
    expect(describeRemote(null)).toBe('');
    expect(describeRemote({ host: 'node17', quietMs: 900 })).toBe('On node17');
    expect(describeRemote({ host: 'node17', quietMs: 180_000 })).toBe('Last heard 3 min 00 s ago on node17');
  });
});
