/** A run of the PyTorch engine that is paused, stopped, killed or broken, with and without a trainer beside it. */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { requestControl } from '../../src/core/runs/controlFolder.ts';
import { CheckpointFolder } from '../../src/core/train/checkpointFolder.ts';
import { requirePython } from '../support/externals.ts';
import { type Place, runCli, startCli, waitUntil } from '../support/programs.ts';
import { makePytorchPlace, readFinished, readSeries, readStatusFile, train, trainArguments } from './pytorchRuns.ts';

const packageFolder = join(import.meta.dirname, '../../dist/pytorch');
const settings = {
  targetModules: 'q_proj',
  rank: 4,
  maxSteps: 400,
  evalEverySteps: 100,
  saveEverySteps: 10,
  dropout: 0.1,
  earlyStoppingPatience: 0,
};
const short = { ...settings, maxSteps: 12, evalEverySteps: 6, saveEverySteps: 4 };

/** Starts a long run and gives its folder once it has taken some steps. */
async function startLong(place: Place, given: typeof settings = settings) {
  const child = startCli(trainArguments(given), place);
  const { path: run } = (await waitUntil('a run', () => child.lines.find(({ type }) => type === 'run'))) as unknown as {
    path: string;
  };
  await waitUntil('steps', () => child.lines.filter(({ type }) => type === 'step').length > 2);
  return { child, run };
}

describe('a run of the PyTorch engine', () => {
  it('answers requests in its folder: checkpoint now, pause, and goes on to the end of a straight run', async () => {
    const place = makePytorchPlace();
    const long = { ...settings, maxSteps: 150 };
    const straight = train(makePytorchPlace(), long);
    const { child, run } = await startLong(place, long);
    const asked = Date.now();
    const checkpoint = requestControl(run, 'checkpoint');
    await waitUntil('a sign that it was seen', () => existsSync(join(run, 'control', `${checkpoint}.seen.json`)), 5000);
    expect(Date.now() - asked).toBeLessThan(2000);
    const pause = requestControl(run, 'pause');
    expect((await child.ended).code).toBe(130);
    for (const id of [checkpoint, pause]) {
      expect(JSON.parse(readFileSync(join(run, 'control', `${id}.done.json`), 'utf8'))).toEqual({ ok: true });
    }
    const paused = readStatusFile(run);
    expect(paused).toMatchObject({ state: 'paused', identity: null, error: null });
    expect(paused.step).toBeLessThan(150);
    const resumed = await runCli(['resume', run, '--json'], place);
    expect(resumed.lines.at(-1)).toMatchObject({ type: 'result', steps: 150 });
    const expected = await straight;
    expect(readSeries(run).steps.map(({ lossNats }) => lossNats)).toEqual(expected.losses);
    expect(readFileSync(join(run, 'adapter/adapter_model.safetensors'))).toEqual(
      readFileSync(join(expected.result.output, 'adapter_model.safetensors')),
    );
  });

  it('ends on stop with an adapter, and a killed one resumes to the straight run', async () => {
    const stopping = makePytorchPlace();
    const killing = makePytorchPlace();
    const [stopped, killed] = await Promise.all([startLong(stopping), startLong(killing, settings)]);
    requestControl(stopped.run, 'stop');
    // The trainer is killed the hard way: Python must not go on without it.
    const { identity } = readStatusFile(killed.run);
    process.kill(identity.pid, 'SIGKILL');
    await killed.child.ended;
    const size = () => readFileSync(join(killed.run, 'metrics.jsonl')).length;
    await new Promise(resolve => setTimeout(resolve, 2000));
    const before = size();
    await new Promise(resolve => setTimeout(resolve, 1000));
    expect(size()).toBe(before);
    expect((await stopped.child.ended).code).toBe(130);
    expect(readStatusFile(stopped.run).state).toBe('stopped');
    expect(existsSync(join(stopped.run, 'adapter/adapter_config.json'))).toBe(true);

    // A checkpoint that lost a byte is passed over.
    const folder = join(killed.run, 'checkpoints');
    const newest = readdirSync(folder)
      .filter(name => /^step-\d+$/.test(name))
      .sort()
      .at(-1)!;
    const moments = join(folder, newest, 'moments.safetensors');
    writeFileSync(moments, readFileSync(moments).subarray(0, -1));
    const resumed = await runCli(['resume', killed.run, '--json'], killing);
    expect(resumed.lines.at(-1)).toMatchObject({ type: 'result', steps: 400 });
    const straight = await train(makePytorchPlace(), settings);
    expect(readSeries(killed.run).steps.map(({ lossNats }) => lossNats)).toEqual(straight.losses);
    expect(new CheckpointFolder(folder).findNewest(() => undefined)?.step).toBe(400);
  });

  it('runs without Node beside it, and says who it is', async () => {
    const place = makePytorchPlace();
    const finished = await train(place, short);
    const { path: run, output } = finished.result;
    const adapter = readFileSync(join(output, 'adapter_model.safetensors'));
    for (const name of ['checkpoints', 'adapter']) rmSync(join(run, name), { recursive: true });
    for (const name of ['metrics.jsonl', 'control']) rmSync(join(run, name), { recursive: true, force: true });
    writeFileSync(
      join(run, 'status.json'),
      JSON.stringify({ ...readStatusFile(run), state: 'queued', step: 0, bestStep: null, bestEvalLossNats: null }),
    );
    const child = spawn(requirePython(), ['-m', 'tuning_fork_engine', run], {
      env: { ...process.env, PYTHONPATH: packageFolder },
      stdio: 'ignore',
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const ended = new Promise(resolve => child.once('exit', resolve));
    const { identity } = await waitUntil('its identity', () => {
      const status = readStatusFile(run);
      return status.identity !== null && status;
    });
    expect(identity).toMatchObject({ pid: child.pid, host: expect.any(String) });
    expect(await ended).toBe(0);
    expect(readStatusFile(run)).toMatchObject({ state: 'finished', step: 12, identity: null });
    expect(readFinished(finished.result).losses).toEqual(finished.losses);
    expect(readFileSync(join(output, 'adapter_model.safetensors'))).toEqual(adapter);
  });

  it('says what is missing in a broken environment', async () => {
    const place = makePytorchPlace();
    const fake = join(place.folder, 'python');
    writeFileSync(fake, `#!/bin/sh\nexec "${requirePython()}" -I -S "$@"\n`);
    chmodSync(fake, 0o755);
    const { code, lines } = await runCli(trainArguments(short), {
      ...place,
      env: { ...place.env, TUNING_FORK_PYTHON: fake },
    });
    expect(code).toBe(1);
    expect(lines.at(-1)).toMatchObject({
      type: 'error',
      message: expect.stringMatching(/^(Python|engine): expected .*, got /),
      hint: expect.any(String),
    });
    const run = lines.find(({ type }) => type === 'run') as unknown as { path: string } | undefined;
    if (run !== undefined && existsSync(run.path))
      expect(readStatusFile(run.path)).toMatchObject({ state: 'failed', identity: null });
  });
});
