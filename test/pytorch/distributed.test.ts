/** Several processes on this host, by torchrun and gloo: what they learn, what lies where, and what happens when one is killed. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { requirePython } from '../support/externals.ts';
import { waitUntil } from '../support/programs.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';
import { findRanks, packageFolder, prepareRun, readLog, startPython } from './preparedRun.ts';
import { largestDifference, readSeries, readStatusFile } from './pytorchRuns.ts';

const two = { processes: 2, maxSteps: 6, evalEverySteps: 3 };
const lossesOf = (run: string) => readSeries(run).steps.map(({ lossNats }) => lossNats);

/** Trains to the end and gives the run's folder. */
async function trainOn(settings: Parameters<typeof prepareRun>[1]): Promise<string> {
  const run = await prepareRun(temporaryFolder(), settings);
  const code = await startPython(run).ended;
  if (code !== 0) throw new Error(`${code}: ${JSON.stringify(readStatusFile(run).error)}\n${readLog(run)}`);
  return run;
}

/** `N processes; E trained elements on the first` */
function readSpread(run: string): { processes: number; elements: number } {
  const match = /(\d+) process(?:es)?; (\d+) trained elements/.exec(readLog(run));
  return { processes: Number(match?.[1]), elements: Number(match?.[2]) };
}

describe('several processes', () => {
  it('learn what one learns with as many batches accumulated, whole (DDP; by torchrun, by accelerate) or in pieces (FSDP2)', async () => {
    const dropout = 0.2;
    const alone = await trainOn({ ...two, dropout, launcher: 'python', gradientAccumulation: 2 });
    const together = await trainOn({ ...two, dropout });
    const accelerated = await trainOn({ ...two, dropout, launcher: 'accelerate' });
    const sharded = await trainOn({ ...two, dropout, sharding: 'fsdp' });
    expect(readSpread(alone).processes).toBe(1);
    expect(readSpread(together)).toEqual({ processes: 2, elements: readSpread(alone).elements });
    // Left to itself accelerate starts one process where there is no graphics card, and says nothing.
    expect(readSpread(accelerated)).toEqual(readSpread(together));
    expect(readSpread(sharded)).toEqual({ processes: 2, elements: readSpread(alone).elements / 2 });
    for (const run of [together, accelerated, sharded]) {
      expect(largestDifference(lossesOf(run), lossesOf(alone))).toBeLessThan(1e-5);
      const heldOut = (path: string) => readSeries(path).evaluations.map(({ evalLossNats }) => evalLossNats);
      expect(largestDifference(heldOut(run), heldOut(alone))).toBeLessThan(1e-5);
      // One process writes the run; each has a log of its own.
      for (const rank of [0, 1]) expect(readFileSync(join(run, 'logs', `rank-${rank}.txt`), 'utf8')).not.toBe('');
    }
  });

  it('of which one is killed fail with its error, and start again from the last checkpoint when they may', async () => {
    const long = { ...two, maxSteps: 400, evalEverySteps: 200, saveEverySteps: 20 };
    const straight = await trainOn(long);
    for (const maxRestarts of [0, 1]) {
      const run = await prepareRun(temporaryFolder(), { ...long, maxRestarts });
      const python = startPython(run);
      await waitUntil('a checkpoint', () => readLog(run).includes('step 20: checkpoint'));
      process.kill(findRanks(run).get(1)!, 'SIGKILL');
      const code = await python.ended;
      if (maxRestarts === 0) {
        expect(code).toBe(1);
        expect(readStatusFile(run)).toMatchObject({
          state: 'failed',
          identity: null,
          error: { message: expect.stringMatching(/^process 0: /) },
        });
      } else {
        expect(code).toBe(0);
        expect(readStatusFile(run)).toMatchObject({ state: 'finished', step: 400, attempt: 2 });
        expect(readLog(run)).toMatch(/resumes at step [1-9]/);
        expect(lossesOf(run)).toEqual(lossesOf(straight));
      }
    }
  });

  it('that are fewer than the recipe says are refused, in words even where the disk is full for their logs', async () => {
    const run = await prepareRun(temporaryFolder(), two);
    mkdirSync(join(run, 'logs'));
    if (process.platform === 'linux') symlinkSync('/dev/full', join(run, 'logs', 'rank-0.txt'));
    expect(await startPython(run, { RANK: '0', WORLD_SIZE: '1' }).ended).toBe(1);
    expect(readStatusFile(run).error).toMatchObject({
      message: expect.stringContaining('expected 2 processes, got 1'),
    });
  });

  it('wait for no build that was killed', async () => {
    const cache = temporaryFolder();
    const claim = (then: string) =>
      spawn(
        requirePython(),
        [
          '-c',
          `import os, sys\nfrom tuning_fork_engine.extension_builds import use_own_builds\nuse_own_builds()\nprint(os.environ["TORCH_EXTENSIONS_DIR"], flush=True)\n${then}`,
        ],
        { env: { ...process.env, PYTHONPATH: packageFolder, TUNING_FORK_CACHE: cache, TORCH_EXTENSIONS_DIR: '' } },
      );
    const readFolder = async (child: ChildProcessByStdio<Writable, Readable, Readable>) =>
      String((await once(child.stdout, 'data'))[0]).trim();
    const holding = claim('sys.stdin.read()');
    const lock = join(await readFolder(holding), 'deepspeed_shm_comm', 'lock');
    mkdirSync(dirname(lock));
    writeFileSync(lock, '');
    // Somebody is at work in the folder: the lock may be theirs.
    await once(claim(''), 'exit');
    expect(existsSync(lock)).toBe(true);
    holding.kill('SIGKILL');
    await once(holding, 'exit');
    expect(dirname(dirname(lock))).toBe(await readFolder(claim('')));
    expect(existsSync(lock)).toBe(false);
  });

  it('share optimizer or parameters by DeepSpeed, by a file of the user', async () => {
    const alone = await trainOn({ ...two, launcher: 'python', gradientAccumulation: 2 });
    const config = join(temporaryFolder(), 'zero2.json');
    writeFileSync(config, JSON.stringify({ zero_optimization: { stage: 2 } }));
    const [zero3, zero2] = [
      await trainOn({ ...two, sharding: 'deepspeed' }),
      await trainOn({ ...two, sharding: 'deepspeed', shardingConfig: [config] }),
    ];
    expect(readSpread(zero3)).toEqual({ processes: 2, elements: readSpread(alone).elements / 2 });
    expect(readSpread(zero2)).toEqual({ processes: 2, elements: readSpread(alone).elements });
    for (const run of [zero2, zero3]) expect(largestDifference(lossesOf(run), lossesOf(alone))).toBeLessThan(1e-5);
  });
});
