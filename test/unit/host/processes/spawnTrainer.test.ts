import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { spawnTrainer } from '../../../../src/host/processes/spawnTrainer.ts';
import type { TrainerCommand } from '../../../../src/shared/trainerProtocol.ts';
import { makeRequest } from '../runFixture.ts';
import { useTemporaryFolder } from '../temporaryFolder.ts';

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const hub = { endpoint: null, cache: null, token: 'secret-token' };

describe('spawnTrainer', () => {
  const folder = useTemporaryFolder();
  const order = (): TrainerCommand => ({
    type: 'start',
    store: folder(),
    request: makeRequest(),
    attached: false,
    hub,
  });
  const command = (program: string) => {
    const script = join(folder(), 'trainer.cjs');
    writeFileSync(script, program);
    return {
      file: process.execPath,
      arguments: [script],
      options: { cwd: folder(), env: process.env, windowsHide: true as const },
    };
  };
  const waitFor = async (path: string) => {
    for (let i = 0; i < 200 && !existsSync(path); i++) await new Promise(resolve => setTimeout(resolve, 20));
    return readFileSync(path, 'utf8');
  };

  it('resolves when the trainer accepts and leaves it running on its own', async () => {
    const accepted = await spawnTrainer(
      command(`
        const fs = require('node:fs');
        process.once('message', order => {
          process.send({ type: 'accepted', id: 'r', path: '/r', queued: false });
          process.once('disconnect', () => setTimeout(() => {
            fs.writeFileSync('after.tmp', JSON.stringify({ token: order.hub.token, argv: process.argv.join(' ') }));
            fs.renameSync('after.tmp', 'after');
          }, 50));
        });`),
      order(),
    );
    expect(accepted).toEqual({ type: 'accepted', id: 'r', path: '/r', queued: false });
    const after = JSON.parse(await waitFor(join(folder(), 'after')));
    expect(after.token).toBe('secret-token');
    expect(after.argv).not.toContain('secret-token');
  });

  it('rejects with what the trainer refused', async () => {
    const program = `process.once('message', () => {
      process.send({ type: 'refused', error: { code: 'memory', message: 'memory: too little', hint: 'smaller' } });
    });`;
    await expect(spawnTrainer(command(program), order())).rejects.toMatchObject({ code: 'memory', hint: 'smaller' });
  });

  it('rejects when the trainer ends without an answer', async () => {
    await expect(spawnTrainer(command('process.exit(7)'), order())).rejects.toThrow(/exit code 7/);
  });

  it('rejects when the program cannot be started', async () => {
    const missing = { ...command(''), file: join(folder(), 'missing') };
    await expect(spawnTrainer(missing, order())).rejects.toMatchObject({ code: 'process-ended' });
  });

  it('ends a trainer that does not answer', async () => {
    // What it has started already lives on: a tracker that brings a run's rows to its server, for example.
    const program = `
      const { spawn } = require('node:child_process');
      const fs = require('node:fs');
      const helper = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
      fs.writeFileSync('pids.tmp', JSON.stringify([process.pid, helper.pid]));
      fs.renameSync('pids.tmp', 'pids');
      process.on('message', () => {});
      setInterval(() => {}, 1000);`;
    await expect(spawnTrainer(command(program), order(), 1500)).rejects.toThrow(/^trainer: .*none within 1.5 s/);
    const [own, helper] = JSON.parse(await waitFor(join(folder(), 'pids'))) as [number, number];
    try {
      await vi.waitFor(() => expect(isAlive(own)).toBe(false), { timeout: 5000 });
      expect(isAlive(helper)).toBe(true);
    } finally {
      process.kill(helper, 'SIGKILL');
    }
  });
});
