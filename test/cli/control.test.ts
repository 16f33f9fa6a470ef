import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  acceptedRun,
  makePlace,
  type Place,
  runCli,
  startCli,
  startTrainer,
  type TrainerChild,
  waitUntil,
} from '../support/programs.ts';
import { runStatusFile } from '../support/runStatusFile.ts';
import { tinyRequest } from '../support/tinyRequest.ts';

/** Long enough never to end by itself. */
const endless = { maxSteps: 100_000, evalEverySteps: 100_000, saveEverySteps: 100_000 };

function startDetached(place: Place, settings = endless): TrainerChild {
  const request = tinyRequest(place.folder, settings);
  return startTrainer({ type: 'start', store: place.store, request, attached: false }, place);
}

async function startRunning(place: Place): Promise<{ trainer: TrainerChild; run: string }> {
  const trainer = startDetached(place);
  const run = await acceptedRun(trainer);
  await waitUntil('a step', () => runStatusFile(run).step > 0);
  return { trainer, run };
}

function request(run: string, id: string, type: string): void {
  mkdirSync(join(run, 'control'), { recursive: true });
  writeFileSync(join(run, 'control', `${id}.json`), JSON.stringify({ type }));
}

const answerOf = (run: string, id: string) => {
  const path = join(run, 'control', `${id}.done.json`);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as unknown) : undefined;
};

describe('control requests', () => {
  it('are taken up within a second and done by the next step: checkpoint, then pause, then resume', async () => {
    const place = makePlace();
    const { trainer, run } = await startRunning(place);
    const start = performance.now();
    request(run, 'save', 'checkpoint');
    await waitUntil('the request to be seen', () => existsSync(join(run, 'control', 'save.seen.json')), 5000);
    expect(performance.now() - start).toBeLessThan(1000);
    expect(await waitUntil('the checkpoint', () => answerOf(run, 'save'))).toEqual({ ok: true });
    expect(readdirSync(join(run, 'checkpoints'))).toHaveLength(1);
    request(run, 'rest', 'pause');
    expect(await waitUntil('the pause', () => answerOf(run, 'rest'))).toEqual({ ok: true });
    expect(await trainer.ended).toEqual({ code: 130, signal: null });
    expect(runStatusFile(run)).toMatchObject({ state: 'paused', identity: null, attempt: 1 });

    const resumed = startTrainer({ type: 'resume', run, attached: false }, place);
    await acceptedRun(resumed);
    const paused = runStatusFile(run).step;
    await waitUntil('a step', () => runStatusFile(run).attempt === 2 && runStatusFile(run).step > paused);
    expect(runStatusFile(run)).toMatchObject({ state: 'running' });
    const stopped = await runCli(['stop', run, '--json'], place);
    expect(stopped.code).toBe(0);
    expect(stopped.lines.at(-1)).toMatchObject({ type: 'result', state: 'stopped' });
    expect(readdirSync(join(run, 'adapter'))).toContain('adapter_model.safetensors');
  });

  it('a request that is none is answered with an error, and the run goes on', async () => {
    const place = makePlace();
    const { trainer, run } = await startRunning(place);
    request(run, 'odd', 'self-destruct');
    expect(await waitUntil('the answer', () => answerOf(run, 'odd'))).toMatchObject({ error: { code: 'run-invalid' } });
    const { step } = runStatusFile(run);
    await waitUntil('another step', () => runStatusFile(run).step > step);
    trainer.process.kill('SIGTERM');
    expect((await trainer.ended).code).toBe(130);
    expect(runStatusFile(run).state).toBe('paused');
  });

  it('the heart beats each second while it computes', async () => {
    const place = makePlace();
    const { run } = await startRunning(place);
    const first = runStatusFile(run).heartbeatAt;
    const beat = () => Date.parse(runStatusFile(run).heartbeatAt) - Date.parse(first);
    await waitUntil('two beats', () => beat() >= 1900, 6000);
    expect((await runCli(['pause', run], place)).code).toBe(0);
  });
});

describe('a detached trainer', () => {
  it('outlives its parent, its hang-up signal and its closed channel', async () => {
    const place = makePlace();
    const { trainer, run } = await startRunning(place);
    trainer.process.disconnect();
    trainer.process.kill('SIGHUP');
    const { step } = runStatusFile(run);
    await waitUntil('more steps', () => runStatusFile(run).step > step + 3);
    expect((await runCli(['stop', run], place)).code).toBe(0);
  });

  it('works outside the workspace, without what could be put on its search paths', async () => {
    const place = makePlace();
    const request = tinyRequest(place.folder, endless);
    const env = { NODE_PATH: place.folder, LD_LIBRARY_PATH: place.folder };
    const trainer = startTrainer({ type: 'start', store: place.store, request, attached: false }, place, { env });
    const run = await acceptedRun(trainer);
    if (process.platform === 'linux') {
      const { readlinkSync } = await import('node:fs');
      expect(readlinkSync(`/proc/${trainer.process.pid}/cwd`)).toBe(place.env.TUNING_FORK_STATE);
    }
    expect((await runCli(['stop', run], place)).code).toBe(0);
  });
});

describe('the queue of a device', () => {
  it('lets a second run wait without a process, and starts it when the first one ends', async () => {
    const place = makePlace();
    const first = await startRunning(place);
    const second = startDetached(place, { maxSteps: 2, evalEverySteps: 1, saveEverySteps: 1 });
    expect(await second.answered).toMatchObject({ type: 'accepted', queued: true });
    expect((await second.ended).code).toBe(0);
    const waiting = await acceptedRun(second);
    expect(runStatusFile(waiting)).toMatchObject({ state: 'queued', identity: null });
    expect((await runCli(['stop', first.run], place)).code).toBe(0);
    await waitUntil('the second run', () => runStatusFile(waiting).state === 'finished');
    expect(runStatusFile(waiting)).toMatchObject({ attempt: 1, step: 2 });
  });

  it('lets a command wait for its turn', async () => {
    const place = makePlace();
    const first = await startRunning(place);
    const recipe = join(first.run, 'run.json');
    const second = startCli(
      ['train', '--recipe', recipe, '--set', 'maxSteps=2', '--runs', place.store, '--json'],
      place,
    );
    await waitUntil('the queue', () => second.lines.some(line => line.type === 'progress' && line.phase === 'queued'));
    expect((await runCli(['stop', first.run], place)).code).toBe(0);
    expect((await second.ended).code).toBe(0);
    expect(second.lines.at(-1)).toMatchObject({ type: 'result', steps: 2 });
  });

  it('takes a run out again that is stopped while it waits', async () => {
    const place = makePlace();
    const first = await startRunning(place);
    const waiting = await acceptedRun(startDetached(place));
    await waitUntil('the queue', () => runStatusFile(waiting).state === 'queued');
    const { code, lines } = await runCli(['stop', waiting, '--json'], place);
    expect(code).toBe(0);
    expect(lines.at(-1)).toMatchObject({ state: 'stopped', step: 0 });
    expect((await runCli(['stop', first.run], place)).code).toBe(0);
    expect(runStatusFile(waiting).state).toBe('stopped');
  });

  it('moves on after a trainer was killed', async () => {
    const place = makePlace();
    const first = await startRunning(place);
    first.trainer.process.kill('SIGKILL');
    await first.trainer.ended;
    const second = startDetached(place, { maxSteps: 2, evalEverySteps: 1, saveEverySteps: 1 });
    expect(await second.answered).toMatchObject({ queued: false });
    expect((await second.ended).code).toBe(0);
  });

  it('refuses a second process on one run', async () => {
    const place = makePlace();
    const { run } = await startRunning(place);
    const second = startTrainer({ type: 'resume', run, attached: false }, place);
    expect(await second.answered).toMatchObject({ type: 'refused', error: { code: 'run-busy' } });
    const { step } = runStatusFile(run);
    await waitUntil('another step', () => runStatusFile(run).step > step);
    expect((await runCli(['stop', run], place)).code).toBe(0);
  });
});
