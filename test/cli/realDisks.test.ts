/** Real mounts, in a namespace that ends with the command: a small disk and a read-only one, as the system tells them. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CliResult, makePlace, type Place, runCli } from '../support/programs.ts';
import { writeTinyDataset, writeTinyModel } from '../support/tinyModel.ts';

const unshare = ['unshare', '--mount', ...(process.getuid?.() === 0 ? [] : ['--map-root-user'])];
const [program, ...unshareArguments] = unshare;
const mayMount =
  spawnSync(program!, [...unshareArguments, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' }).status === 0;

/** Runs `prepare` with the mount at $1, then the command line, then lists what the mount holds. */
async function runOnDisk(
  args: readonly string[],
  prepare: string,
  place: Place,
): Promise<{ result: CliResult; files: readonly string[] }> {
  const disk = join(place.folder, 'disk');
  const list = join(place.folder, 'files.txt');
  mkdirSync(disk);
  const script = `set -e; ${prepare}; shift; cd "$1"; list=$2; disk=$3; shift 3; "$@" && code=0 || code=$?; find "$disk" > "$list"; exit $code`;
  const wrapper = [...unshare, 'sh', '-c', script, 'sh', disk, place.folder, list, disk];
  const result = await runCli(args, place, wrapper);
  return { result, files: readFileSync(list, 'utf8').trim().split('\n') };
}

function trainArguments(place: Place, steps: number): string[] {
  const model = writeTinyModel(join(place.folder, 'model'));
  writeTinyDataset(join(place.folder, 'rows.jsonl'));
  const settings = ['contextTokens=48', 'batchRows=2', 'threads=1', 'evalEverySteps=1', `maxSteps=${steps}`];
  return ['train', 'rows.jsonl', '--model', model, '--json', ...settings.flatMap(setting => ['--set', setting])];
}

describe.skipIf(!mayMount)('a disk', () => {
  it.each([
    ['without room for the data', 'nothing', '12k'],
    ['without room for a checkpoint', 'the run, failed', '64k'],
  ])('%s is named as full, and leaves %s', async (_which, left, size) => {
    const place = makePlace();
    const args = [...trainArguments(place, 2), '--runs', 'disk/store'];
    const { result, files } = await runOnDisk(args, `mount -t tmpfs -o size=${size} tmpfs "$1"`, place);
    expect(result.code).toBe(1);
    expect(result.lines.at(-1)).toMatchObject({
      type: 'error',
      code: 'disk-full',
      file: expect.stringContaining(join(place.folder, 'disk')),
      hint: expect.stringContaining('Free some space'),
    });
    const names = files.map(file => file.split('/').at(-1)!);
    expect(names.filter(name => /tmp|staged|step-/.test(name))).toEqual([]);
    expect(names.includes('status.json')).toBe(left !== 'nothing');
  });

  it('that is read-only is named when a run is to start there, and nothing is called a bug', async () => {
    const place = makePlace();
    const args = [...trainArguments(place, 2), '--runs', 'disk/store'];
    const { result, files } = await runOnDisk(args, 'mount -t tmpfs -o ro tmpfs "$1"', place);
    expect(result.code).toBe(1);
    expect(result.lines.at(-1)).toMatchObject({
      type: 'error',
      code: 'not-writable',
      message: expect.stringContaining('EROFS'),
      hint: expect.stringMatching(/\w/),
    });
    expect(files).toEqual([join(place.folder, 'disk')]);
  });

  it('that became read-only is named when a run is to go on there', async () => {
    const place = makePlace();
    const first = await runCli([...trainArguments(place, 2), '--runs', 'store'], place);
    const run = (first.lines[0] as { path: string }).path;
    const status = `sed -i 's/"finished"/"stopped"/' "$1"/store/runs/*/status.json`;
    const prepare = `mount -t tmpfs tmpfs "$1"; cp -r "$2"/store "$1"; ${status}; mount -o remount,ro "$1"`;
    const args = ['resume', run.replace(place.store, join(place.folder, 'disk', 'store')), '--json'];
    const { result } = await runOnDisk(args, prepare, place);
    expect(result.code).toBe(1);
    expect(result.lines.at(-1)).toMatchObject({
      type: 'error',
      code: 'not-writable',
      message: expect.stringContaining('EROFS'),
    });
  });
});
