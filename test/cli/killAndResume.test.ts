import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { CheckpointFolder } from '../../src/core/train/checkpointFolder.ts';
import { linearLayers } from '../../src/shared/hyperparameters.ts';
import { parseMetrics } from '../../src/shared/runState.ts';
import { seededRandom } from '../support/bigramEngine.ts';
import { acceptedRun, makePlace, type Place, runCli, startTrainer, waitUntil } from '../support/programs.ts';
import { runStatusFile } from '../support/runStatusFile.ts';
import { tinyRequest } from '../support/tinyRequest.ts';

const preload = fileURLToPath(new URL('../support/faultPreload.mjs', import.meta.url));

const readAdapter = (run: string) => readFileSync(join(run, 'adapter', 'adapter_model.safetensors'));
const readSteps = (run: string) => parseMetrics(readFileSync(join(run, 'metrics.jsonl'), 'utf8')).steps;

async function shownState(place: Place, run: string): Promise<string> {
  const { lines } = await runCli(['runs', '--runs', place.store, '--json'], place);
  const { runs } = lines.at(-1) as unknown as { runs: { path: string; state: string }[] };
  return runs.find(shown => shown.path === run)!.state;
}

/** Kills a run as `fault` says, looks at what is left, resumes, and gives the run's folder. */
async function killAndResume(
  place: Place,
  request: ReturnType<typeof tinyRequest>,
  fault: NodeJS.ProcessEnv,
): Promise<string> {
  const trainer = startTrainer({ type: 'start', store: place.store, request, attached: false }, place, {
    preload,
    env: fault,
  });
  const run = await acceptedRun(trainer);
  expect(await trainer.ended).toEqual({ code: null, signal: 'SIGKILL' });
  expect(await shownState(place, run)).toBe('interrupted');
  const resumed = await runCli(['resume', run, '--json'], place);
  expect(resumed.lines.at(-1)).toMatchObject({ type: 'result', path: run, steps: request.hyperparameters.maxSteps });
  expect(resumed.code).toBe(0);
  return run;
}

describe('SIGKILL', () => {
  it('at every write of a checkpoint loses none that was finished and resumes to the same bytes', async () => {
    const place = makePlace();
    const request = tinyRequest(place.folder, {
      maxSteps: 3,
      evalEverySteps: 1,
      keepCheckpoints: 1,
      targetModules: ['k_proj'],
    });
    const log = join(place.folder, 'operations.txt');
    const env = { FAULT_PATH: 'step-000002', FAULT_LOG: log };
    const straight = startTrainer({ type: 'start', store: place.store, request, attached: false }, place, {
      preload,
      env,
    });
    const straightRun = await acceptedRun(straight);
    expect((await straight.ended).code).toBe(0);
    const expected = readAdapter(straightRun);
    const operations = readFileSync(log, 'utf8').trim().split('\n');
    // Writing it and, a step later, renaming it away.
    expect(operations.filter(name => name === 'writeSync').length).toBeGreaterThan(12);
    for (const at of operations.keys()) {
      const run = await killAndResume(place, request, { FAULT_PATH: 'step-000002', FAULT_AT: String(at) });
      expect(readAdapter(run)).toEqual(expected);
      expect(readSteps(run).map(row => row.step)).toEqual([1, 2, 3]);
      expect(readdirSync(join(run, 'checkpoints'))).toEqual(['step-000003']);
      rmSync(run, { recursive: true });
    }
  }, 900_000);

  it('at random moments leaves an interrupted run that resumes to the same bytes', async () => {
    const place = makePlace();
    const request = tinyRequest(place.folder, { maxSteps: 12, evalEverySteps: 3, saveEverySteps: 2 });
    const straight = startTrainer({ type: 'start', store: place.store, request, attached: false }, place);
    const expectedRun = await acceptedRun(straight);
    expect((await straight.ended).code).toBe(0);
    const random = seededRandom(7);
    for (let round = 0; round < 4; round++) {
      const trainer = startTrainer({ type: 'start', store: place.store, request, attached: false }, place);
      const run = await acceptedRun(trainer);
      const killAfter = 1 + Math.floor(random() * 10);
      const metrics = join(run, 'metrics.jsonl');
      await waitUntil(
        `step ${killAfter}`,
        () =>
          readdirSync(run).includes('metrics.jsonl') && readFileSync(metrics, 'utf8').split('\n').length > killAfter,
      );
      const before = new CheckpointFolder(join(run, 'checkpoints')).findNewest(() => undefined)?.step ?? 0;
      trainer.process.kill('SIGKILL');
      await trainer.ended;
      expect(
        new CheckpointFolder(join(run, 'checkpoints')).findNewest(() => undefined)?.step ?? 0,
      ).toBeGreaterThanOrEqual(before);
      expect(['interrupted', 'finished']).toContain(await shownState(place, run));
      const resumed = await runCli(['resume', run, '--json'], place);
      expect(resumed.code).toBe(0);
      expect(readAdapter(run)).toEqual(readAdapter(expectedRun));
      expect(readSteps(run).map(row => row.lossNats)).toEqual(readSteps(expectedRun).map(row => row.lossNats));
    }
  });
});

describe('a disk that takes no more', () => {
  it.each([
    ['ENOSPC', 'disk-full'],
    ['EROFS', 'not-writable'],
  ])(
    '(%s) ends the run as failed, keeps the finished checkpoints and leaves nothing half-written',
    async (kind, code) => {
      const place = makePlace();
      const request = tinyRequest(place.folder, { maxSteps: 4, evalEverySteps: 1 });
      const env = { FAULT_PATH: 'step-000003', FAULT_AT: '3', FAULT_KIND: kind };
      const trainer = startTrainer({ type: 'start', store: place.store, request, attached: false }, place, {
        preload,
        env,
      });
      const run = await acceptedRun(trainer);
      expect((await trainer.ended).code).toBe(1);
      expect(runStatusFile(run)).toMatchObject({
        state: 'failed',
        error: { code, file: join(run, 'checkpoints', 'step-000003'), hint: expect.stringMatching(/\w/) },
      });
      expect(readdirSync(join(run, 'checkpoints'))).toEqual(['step-000001', 'step-000002']);
      const resumed = await runCli(['resume', run, '--json'], place);
      expect(resumed.code).toBe(0);
    },
  );

  it.each([
    ['when its status is written', 'status.json.'],
    ['when its data is written', 'examples.jsonl'],
  ])('leaves nothing of a new run that a person watches, met %s', async (_when, path) => {
    const place = makePlace();
    const request = tinyRequest(place.folder);
    const env = { FAULT_PATH: path, FAULT_AT: '0', FAULT_KIND: 'ENOSPC' };
    const trainer = startTrainer({ type: 'start', store: place.store, request, attached: true }, place, {
      preload,
      env,
    });
    expect((await trainer.ended).code).toBe(1);
    const errors = trainer.replies.flatMap(reply =>
      reply.type === 'refused'
        ? [reply.error]
        : reply.type === 'event' && reply.line.type === 'error'
          ? [reply.line]
          : [],
    );
    expect(errors).toEqual([
      expect.objectContaining({ code: 'disk-full', file: expect.stringContaining(path.slice(0, 10)) }),
    ]);
    expect(trainer.replies[0]).toMatchObject({ type: 'accepted' });
    expect(readdirSync(join(place.store, 'runs'))).toEqual([]);
    expect(readdirSync(join(place.store, 'datasets'))).toEqual([]);
  });

  it.each([true, false])(
    "leaves no run that waits for ever when it is the user's own (attached: %s)",
    async attached => {
      const place = makePlace();
      const request = tinyRequest(place.folder);
      const env = { FAULT_PATH: join(place.env.TUNING_FORK_STATE!, 'processes'), FAULT_AT: '0', FAULT_KIND: 'ENOSPC' };
      const trainer = startTrainer({ type: 'start', store: place.store, request, attached }, place, { preload, env });
      expect(await trainer.answered).toMatchObject({ type: 'refused', error: { code: 'disk-full' } });
      expect((await trainer.ended).code).toBe(1);
      const shown = (await runCli(['runs', '--runs', place.store, '--json'], place)).lines.at(-1);
      const failed = { state: 'failed', error: { code: 'disk-full' } };
      expect(shown).toMatchObject({ runs: attached ? [] : [failed] });
      expect(readdirSync(join(place.env.TUNING_FORK_STATE!, 'processes'))).toEqual([]);
    },
  );

  it.skipIf(!existsSync('/usr/bin/prlimit'))(
    'is met as the operating system says it: a file that may not grow',
    async () => {
      const place = makePlace();
      const request = tinyRequest(place.folder, {
        maxSteps: 2,
        evalEverySteps: 1,
        targetModules: [...linearLayers],
        rank: 64,
      });
      const wrapper = ['/usr/bin/prlimit', '--fsize=200000'];
      const trainer = startTrainer({ type: 'start', store: place.store, request, attached: false }, place, { wrapper });
      const run = await acceptedRun(trainer);
      expect((await trainer.ended).code).toBe(1);
      expect(runStatusFile(run)).toMatchObject({ state: 'failed', error: { code: 'disk-full' } });
      expect(readdirSync(join(run, 'checkpoints'))).toEqual([]);
      const resumed = await runCli(['resume', run, '--json'], place);
      expect(resumed.code).toBe(0);
    },
  );
});
