import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readStartTime } from '../../src/core/runs/processRegistry.ts';
import { acceptedRun, makePlace, type Place, runCli, startTrainer, waitUntil } from '../support/programs.ts';
import { runStatusFile } from '../support/runStatusFile.ts';
import { tinyRequest } from '../support/tinyRequest.ts';

/** A process that has nothing to do with any run. */
function startStranger(): ChildProcess {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'ignore' });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

/** A paused run whose status claims that `stranger` works on it. */
async function forgedRun(place: Place, stranger: ChildProcess, heartbeatAt: string): Promise<string> {
  const request = tinyRequest(place.folder, { maxSteps: 100_000, evalEverySteps: 100_000 });
  const trainer = startTrainer({ type: 'start', store: place.store, request, attached: false }, place);
  const run = await acceptedRun(trainer);
  await waitUntil('a step', () => runStatusFile(run).step > 0);
  expect((await runCli(['pause', run], place)).code).toBe(0);
  const startTime = readStartTime(stranger.pid!)!;
  const identity = { pid: stranger.pid, startTime, nonce: 'ab'.repeat(16) };
  writeFileSync(
    join(run, 'status.json'),
    JSON.stringify({ ...runStatusFile(run), state: 'running', identity, heartbeatAt }),
  );
  return run;
}

const isAlive = (child: ChildProcess) => child.exitCode === null && child.signalCode === null;
const longAgo = '2020-01-01T00:00:00.000Z';

describe("a run folder whose status names a stranger's pid", () => {
  it('is shown as interrupted, and the stranger is never signalled', async () => {
    const place = makePlace();
    const stranger = startStranger();
    const run = await forgedRun(place, stranger, longAgo);
    const shown = await runCli(['runs', '--runs', place.store, '--json'], place);
    expect(shown.lines.at(-1)).toMatchObject({ runs: [{ path: run, state: 'interrupted' }] });
    expect((await runCli(['runs', '--runs', place.store], place)).code).toBe(0);
    for (const args of [
      ['stop', run],
      ['stop', run, '--force'],
      ['pause', run],
    ]) {
      const { code, lines } = await runCli([...args, '--json'], place);
      expect(code).toBe(1);
      expect(lines.at(-1)).toMatchObject({
        type: 'error',
        code: 'run-identity',
        message: expect.stringContaining(String(stranger.pid)),
      });
    }
    expect(isAlive(stranger)).toBe(true);
  });

  it('is not taken over while that process seems to work on it, and can be afterwards', async () => {
    const place = makePlace();
    const stranger = startStranger();
    const run = await forgedRun(place, stranger, new Date().toISOString());
    const refused = await runCli(['resume', run, '--json'], place);
    expect(refused.code).toBe(1);
    expect(refused.lines.at(-1)).toMatchObject({ type: 'error', code: 'run-identity' });
    const status = JSON.parse(readFileSync(join(run, 'status.json'), 'utf8')) as object;
    writeFileSync(join(run, 'status.json'), JSON.stringify({ ...status, heartbeatAt: longAgo }));
    const trainer = startTrainer({ type: 'resume', run, attached: false }, place);
    await acceptedRun(trainer);
    await waitUntil('the run to go on', () => runStatusFile(run).state === 'running');
    expect((await runCli(['stop', run], place)).code).toBe(0);
    expect(isAlive(stranger)).toBe(true);
  });
});
