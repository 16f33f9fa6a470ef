import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RunControls } from '../../../../src/host/runs/runControls.ts';
import { RunReader } from '../../../../src/host/runs/runReader.ts';
import { makeStatus, writeRun } from '../runFixture.ts';
import { useTemporaryFolder } from '../temporaryFolder.ts';

const id = '20261124-093000-capitals-1f3a';

describe('RunControls', () => {
  const folder = useTemporaryFolder();

  /** A trainer that acts on each of the reader's waits: `act` gets the number of the wait. */
  async function open(act: (wait: number, path: string, request: string | undefined) => void, isOurs = true) {
    const path = writeRun(folder(), id);
    let isAlive = true;
    let nowMs = 0;
    let waits = 0;
    const run = new RunReader(path, folder(), async () => isAlive, Date.now);
    await run.refreshSummary();
    const ended: number[] = [];
    const controls = new RunControls({
      resume: async () => writeFileSync(join(path, 'status.json'), JSON.stringify(makeStatus({ attempt: 2 }))),
      leaveQueue: async () =>
        writeFileSync(join(path, 'status.json'), JSON.stringify(makeStatus({ state: 'stopped' }))),
      endTree: async (_, identity) => {
        if (isOurs) ended.push(identity.pid);
        isAlive = !isOurs;
        return isOurs;
      },
      wait: async ms => {
        nowMs += ms;
        const request = readdirSync(join(path, 'control')).find(name => /^[^.]+\.json$/.test(name));
        act(waits++, path, request);
      },
      now: () => nowMs,
      log: () => undefined,
    });
    return { run, controls, path, ended, waited: () => nowMs };
  }

  const answer = (path: string, request: string, kind: 'seen' | 'done', content: object) =>
    writeFileSync(join(path, 'control', request.replace('.json', `.${kind}.json`)), JSON.stringify(content));

  it('writes the request, shows it as pending and clears it when it is done', async () => {
    const pending: unknown[] = [];
    const { run, controls } = await open((wait, path, request) => {
      expect(JSON.parse(readFileSync(join(path, 'control', request!), 'utf8'))).toEqual({ type: 'checkpoint' });
      if (wait === 0) answer(path, request!, 'seen', {});
      if (wait === 1) answer(path, request!, 'done', { ok: true });
    });
    controls.onDidChange(changed => pending.push(controls.pendingOf(changed)));
    await controls.request(run, 'checkpoint');
    expect(pending).toEqual(['checkpoint', null]);
    expect(controls.errorOf(run)).toBeNull();
  });

  it('shows what the trainer could not do', async () => {
    const { run, controls } = await open((_, path, request) =>
      answer(path, request!, 'done', { error: { code: 'disk-full', message: 'checkpoints: no space' } }),
    );
    await controls.request(run, 'checkpoint');
    expect(controls.errorOf(run)).toMatchObject({ code: 'disk-full', message: 'checkpoints: no space' });
  });

  it('keeps Pause pending until the process is gone', async () => {
    const { run, controls } = await open((wait, path, request) => {
      if (wait === 0) answer(path, request!, 'done', { ok: true });
      if (wait === 3) writeFileSync(join(path, 'status.json'), JSON.stringify(makeStatus({ state: 'paused' })));
    });
    await controls.request(run, 'pause');
    expect(run.state).toBe('paused');
  });

  it('ends the process tree when Stop is not done within ten seconds', async () => {
    const { run, controls, ended, waited, path } = await open(() => undefined);
    await controls.request(run, 'stop');
    expect(ended).toEqual([4242]);
    expect(waited()).toBeGreaterThanOrEqual(10_000);
    expect(waited()).toBeLessThan(11_000);
    expect(run.state).toBe('interrupted');
    expect(readdirSync(join(path, 'control'))).toEqual([]);
  });

  it('ends the process tree when a Stop was taken up but its process stays', async () => {
    const { run, controls, ended } = await open((wait, path, request) => {
      if (wait === 0) answer(path, request!, 'done', { ok: true });
    });
    await controls.request(run, 'stop');
    expect(ended).toEqual([4242]);
  });

  it("leaves a stranger's process alone and says so", async () => {
    const { run, controls, ended } = await open(() => undefined, false);
    await controls.request(run, 'stop');
    expect(ended).toEqual([]);
    expect(controls.errorOf(run)?.code).toBe('run-identity');
  });

  it('never ends a process for Pause', async () => {
    const { run, controls, ended } = await open((wait, path) => {
      if (wait === 200) writeFileSync(join(path, 'status.json'), JSON.stringify(makeStatus({ state: 'finished' })));
    });
    await controls.request(run, 'pause');
    expect(ended).toEqual([]);
    expect(run.state).toBe('finished');
  });

  it('lets Stop overtake Pause and ignores a second Stop', async () => {
    const requests: string[] = [];
    const { run, controls, path } = await open(wait => {
      if (wait === 0) {
        void controls.request(run, 'stop');
        void controls.request(run, 'stop');
      }
      if (wait === 30) {
        for (const name of readdirSync(join(path, 'control'))) {
          if (name.endsWith('.json')) requests.push(JSON.parse(readFileSync(join(path, 'control', name), 'utf8')).type);
        }
        writeFileSync(join(path, 'status.json'), JSON.stringify(makeStatus({ state: 'stopped' })));
      }
    });
    await controls.request(run, 'pause');
    expect(requests.sort()).toEqual(['pause', 'stop']);
  });

  it('takes a queued run without a process out of the queue at once', async () => {
    const { run, controls, path, waited } = await open(() => undefined);
    writeFileSync(join(path, 'status.json'), JSON.stringify(makeStatus({ state: 'queued', identity: null })));
    await run.refreshSummary();
    await controls.request(run, 'stop');
    expect([run.state, waited()]).toEqual(['stopped', 0]);
  });

  it('refuses to pause a run at rest', async () => {
    const { run, controls, path } = await open(() => undefined);
    writeFileSync(join(path, 'status.json'), JSON.stringify(makeStatus({ state: 'finished' })));
    await run.refreshSummary();
    await controls.request(run, 'pause');
    expect(controls.errorOf(run)?.code).toBe('run-busy');
  });
});
