/** Two hosts, played by two network namespaces with disks of their own: what Linux gives to root alone. */
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitUntil } from '../support/programs.ts';
import { makeTemporaryFolder, temporaryFolder } from '../support/temporaryFolder.ts';
import { endGroup, type PythonChild, prepareRun, readLog, startPython } from './preparedRun.ts';
import { largestDifference, readSeries, readStatusFile } from './pytorchRuns.ts';

/** Names within the 15 characters that interfaces may have, and addresses that nobody else has here. */
const tag = `tf${process.pid % 100_000}`;
const hosts = [0, 1].map(index => ({
  name: `${tag}h${index}`,
  link: `${tag}v${index}`,
  address: `10.203.77.${index + 1}`,
}));

const ip = (...args: string[]): boolean => spawnSync('ip', args, { stdio: 'ignore' }).status === 0;

/** Both hosts and the cable between them; false where this user may not. */
function makeHosts(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const [a, b] = hosts as [(typeof hosts)[0], (typeof hosts)[0]];
  if (!hosts.every(({ name }) => ip('netns', 'add', name))) return false;
  if (!ip('link', 'add', a.link, 'type', 'veth', 'peer', 'name', b.link)) return false;
  return hosts.every(
    ({ name, link, address }) =>
      ip('link', 'set', link, 'netns', name) &&
      ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', link) &&
      ip('-n', name, 'link', 'set', link, 'up') &&
      ip('-n', name, 'link', 'set', 'lo', 'up'),
  );
}

const canMakeHosts = makeHosts();
if (!canMakeHosts) for (const { name } of hosts) ip('netns', 'delete', name);

const settings = { processes: 1, hosts: 2, maxSteps: 400, evalEverySteps: 200, saveEverySteps: 20 };
const lossesOf = (run: string) => readSeries(run).steps.map(({ lossNats }) => lossNats);

/** The run on each host's disk. */
function copyRun(run: string): readonly [string, string] {
  const other = join(temporaryFolder(), 'store', 'runs', 'copy');
  cpSync(run, other, { recursive: true });
  return [run, other];
}

/** @param node this host's number among the two */
function startOn(index: number, run: string, rendezvous: string, node = index): PythonChild {
  const { name, link, address } = hosts[index]!;
  return startPython(
    run,
    {
      NNODES: '2',
      NODE_RANK: String(node),
      MASTER_ADDR: hosts[index === node ? 0 : 1]!.address,
      MASTER_PORT: '29533',
      LOCAL_ADDR: address,
      GLOO_SOCKET_IFNAME: link,
      TP_SOCKET_IFNAME: link,
      TUNING_FORK_RENDEZVOUS: rendezvous,
    },
    ['ip', 'netns', 'exec', name],
  );
}

describe.skipIf(!canMakeHosts)('two hosts (Linux, as root)', () => {
  let straight: number[];

  beforeAll(async () => {
    const { path: folder, remove } = makeTemporaryFolder();
    const run = await prepareRun(folder, { ...settings, launcher: 'python', hosts: 1, gradientAccumulation: 2 });
    const child = startPython(run);
    expect(await child.ended).toBe(0);
    straight = lossesOf(run);
    remove();
  });
  afterAll(() => {
    for (const { name } of hosts) ip('netns', 'delete', name);
  });

  it('learn what one does; after one was killed in the middle both go on to the same end', async () => {
    const runs = copyRun(await prepareRun(temporaryFolder(), settings));
    const first = runs.map((run, index) => startOn(index, run, 'one'));
    await waitUntil('a checkpoint', () => readLog(runs[0]).includes('step 20: checkpoint'));
    endGroup(first[1]!.process);
    expect(await first[0]!.ended).not.toBe(0);
    await first[1]!.ended;
    expect(readStatusFile(runs[0]).state).toBe('failed');

    const second = runs.map((run, index) => startOn(index, run, 'two'));
    expect(await second[0]!.ended).toBe(0);
    await second[1]!.ended;
    expect(readLog(runs[0])).toMatch(/2 processes; /);
    expect(readLog(runs[0])).toMatch(/resumes at step [1-9]/);
    expect(readStatusFile(runs[0])).toMatchObject({ state: 'finished', step: 400 });
    expect(largestDifference(lossesOf(runs[0]), straight)).toBeLessThan(1e-5);

    // A host without the checkpoints would start anew beside one that goes on.
    rmSync(join(runs[1], 'checkpoints'), { recursive: true });
    const third = runs.map((run, index) => startOn(index, run, 'three'));
    expect(await third[0]!.ended).toBe(1);
    await third[1]!.ended;
    expect(readStatusFile(runs[0])).toMatchObject({
      state: 'failed',
      error: { code: 'checkpoint-invalid', message: expect.stringContaining('step-000400') },
    });
  });

  it('are refused before anything is written where the first process would not be on the first host', async () => {
    const runs = copyRun(await prepareRun(temporaryFolder(), settings));
    const children = runs.map((run, index) => startOn(index, run, 'four', 1 - index));
    for (const { ended } of children) expect(await ended).not.toBe(0);
    expect(readStatusFile(runs[1])).toMatchObject({
      state: 'failed',
      error: {
        message: expect.stringContaining('expected the first process on the host of NODE_RANK 0'),
        hint: expect.stringContaining('LOCAL_ADDR'),
      },
    });
    for (const run of runs) expect(readLog(run)).not.toContain('checkpoint');
  });
});
