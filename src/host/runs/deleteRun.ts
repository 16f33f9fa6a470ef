/** @file A run at rest -> what deleting it frees, and its deletion together with data that no other run needs. */
import { lstat, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TuneError } from '../../shared/errors.ts';
import { storeNames } from '../../shared/runFolder.ts';
import { isActive } from '../../shared/runState.ts';
import type { RunReader } from './runReader.ts';

export interface DeletionPlan {
  run: RunReader;
  runBytes: number;
  /** Dataset snapshots that no other run of the store refers to. */
  snapshots: { path: string; bytes: number }[];
  freedBytes: number;
}

const snapshotPattern = /^[0-9a-f]{64}$/;

/** What deleting `run` would remove. `others` are the store's other runs. */
export async function planDeletion(run: RunReader, others: readonly RunReader[]): Promise<DeletionPlan> {
  const runBytes = await measureFolder(run.path);
  const snapshots: DeletionPlan['snapshots'] = [];
  for (const name of ownSnapshots(run, others)) {
    const path = join(run.store, storeNames.datasets, name);
    snapshots.push({ path, bytes: await measureFolder(path) });
  }
  return { run, runBytes, snapshots, freedBytes: snapshots.reduce((sum, s) => sum + s.bytes, runBytes) };
}

/** @throws TuneError `run-busy` when the run is active */
export async function deleteRun(plan: DeletionPlan): Promise<void> {
  const { run } = plan;
  await run.refreshSummary();
  if (isActive(run.state)) {
    throw new TuneError('run-busy', `${run.name}: expected a run at rest, got one that is ${run.state}`, {
      hint: 'Stop the run first.',
    });
  }
  // Out of the list at once, so that a deletion cut short never shows as a broken run.
  const doomed = join(run.store, `.deleting-${run.id}`);
  await rename(run.path, doomed);
  for (const path of [doomed, ...plan.snapshots.map(s => s.path)]) await rm(path, { recursive: true, force: true });
}

function ownSnapshots(run: RunReader, others: readonly RunReader[]): string[] {
  // A run that has not written its record yet may be about to use any snapshot.
  if (others.some(other => other.record === undefined && (isActive(other.state) || other.state === 'queued')))
    return [];
  const used = new Set(others.flatMap(snapshotsOf));
  return [...new Set(snapshotsOf(run))].filter(name => snapshotPattern.test(name) && !used.has(name));
}

function snapshotsOf(run: RunReader): string[] {
  return run.record?.datasets.map(d => d.snapshot) ?? [];
}

/** Bytes of all files below a folder; links are counted as themselves, never followed. */
export async function measureFolder(path: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(path, { withFileTypes: true }).catch(() => [])) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) bytes += await measureFolder(child);
    else bytes += (await lstat(child).catch(() => undefined))?.size ?? 0;
  }
  return bytes;
}
