import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deleteRun, measureFolder, planDeletion } from '../../../../src/host/runs/deleteRun.ts';
import { RunReader } from '../../../../src/host/runs/runReader.ts';
import { makeRecord, makeStatus, snapshotName, writeRun } from '../runFixture.ts';
import { useTemporaryFolder } from '../temporaryFolder.ts';

const first = '20261124-093000-capitals-1f3a';
const second = '20261124-094000-capitals-2f3a';
const resting = { 'status.json': makeStatus({ state: 'finished' }) };

describe('deleteRun', () => {
  const folder = useTemporaryFolder();
  const read = async (path: string, isAlive = false) => {
    const run = new RunReader(path, folder(), async () => isAlive, Date.now);
    await run.refreshSummary();
    return run;
  };
  const writeSnapshot = (bytes: number) => {
    mkdirSync(join(folder(), 'datasets', snapshotName), { recursive: true });
    writeFileSync(join(folder(), 'datasets', snapshotName, 'examples.jsonl'), 'x'.repeat(bytes));
  };

  it('counts the run and the snapshot that goes with it, and frees both', async () => {
    writeSnapshot(1000);
    const run = await read(writeRun(folder(), first, { ...resting, 'adapter/weights': 'w'.repeat(500) }));
    const plan = await planDeletion(run, []);
    expect(plan.freedBytes).toBe((await measureFolder(run.path)) + 1000);
    await deleteRun(plan);
    expect(readdirSync(folder(), { recursive: true }).sort()).toEqual(['datasets', 'runs']);
  });

  it('keeps a snapshot that another run was trained on', async () => {
    writeSnapshot(1000);
    const run = await read(writeRun(folder(), first, resting));
    const other = await read(writeRun(folder(), second, resting));
    const plan = await planDeletion(run, [other]);
    expect(plan.snapshots).toEqual([]);
    await deleteRun(plan);
    expect(existsSync(join(folder(), 'datasets', snapshotName))).toBe(true);
  });

  it('keeps snapshots while a run that says nothing yet is preparing', async () => {
    writeSnapshot(1000);
    const run = await read(writeRun(folder(), first, resting));
    const preparing = { 'run.json': undefined, 'status.json': makeStatus({ state: 'preparing' }) };
    const other = await read(writeRun(folder(), second, preparing), true);
    expect((await planDeletion(run, [other])).snapshots).toEqual([]);
  });

  it('refuses a run that became active in the meantime', async () => {
    const path = writeRun(folder(), first, resting);
    const plan = await planDeletion(await read(path, true), []);
    writeFileSync(join(path, 'status.json'), JSON.stringify(makeStatus()));
    await expect(deleteRun(plan)).rejects.toMatchObject({ code: 'run-busy' });
    expect(existsSync(path)).toBe(true);
  });

  it('never follows a snapshot name out of the datasets folder', async () => {
    const record = makeRecord(first);
    const hostile = { ...record, datasets: [{ ...record.datasets[0]!, snapshot: '../../elsewhere' }] };
    const run = await read(writeRun(folder(), first, { ...resting, 'run.json': hostile }));
    expect((await planDeletion(run, [])).snapshots).toEqual([]);
  });

  it('does not measure or delete through links', async () => {
    const outside = join(folder(), 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'big'), 'x'.repeat(100_000));
    const path = writeRun(folder(), first, resting);
    symlinkSync(outside, join(path, 'link'));
    const plan = await planDeletion(await read(path), []);
    expect(plan.freedBytes).toBeLessThan(10_000);
    await deleteRun(plan);
    expect(existsSync(join(outside, 'big'))).toBe(true);
  });
});
