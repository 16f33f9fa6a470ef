/** @file A run at rest -> what deleting it frees, and its deletion together with data that no other run needs. */
import { lstat, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TuneError } from '../../shared/errors.ts';
import { storeNames } from '../../shared/runFolder.ts';
import { isActive } from '../../shared/runState.ts';
import { childrenOf } from './families.ts';
import type { RunReader } from './runReader.ts';

export interface DeletionPlan {
  run: RunReader;
  /** Runs that it started: deleted with it. */
  children: readonly RunReader[];
  runBytes: number;
  /** Dataset snapshots that no other run of the store refers to. */
  snapshots: { path: string; bytes: number }[];
  freedBytes: number;
}

const snapshotPattern = /^[0-9a-f]{64}$/;

/** What deleting `run` would remove. `others` are the store's other runs. */
export async function planDeletion(run: RunReader, others: readonly RunReader[]): Promise<DeletionPlan> {
  const children = childrenOf(run, others);
  const doomed = [run, ...children];
  let runBytes = 0;
  for (const { path } of doomed) runBytes += await measureFolder(path);
  const snapshots: DeletionPlan['snapshots'] = [];
  const staying = others.filter(other => !children.includes(other));
  for (const name of ownSnapshots(doomed, staying)) {
    const path = join(run.store, storeNames.datasets, name);
    snapshots.push({ path, bytes: await measureFolder(path) });
  }
  return { run, children, runBytes, snapshots, freedBytes: snapshots.reduce((sum, s) => sum + s.bytes, runBytes) };
}

/** @throws TuneError `run-busy` when the run is active */
export async function deleteRun(plan: DeletionPlan): Promise<void> {
  const runs = [plan.run, ...plan.children];
  for (const run of runs) {
    await run.refreshSummary();
    if (!isActive(run.state)) continue;
    throw new TuneError('run-busy', `${run.name}: expected a run at rest, got one that is ${run.state}`, {
      hint: 'Stop the run first.',
    });
  }
  const doomed: string[] = [];
  for (const run of runs) {
    // Out of the list at once, so that a deletion cut short never shows as a broken run.
    const aside = join(run.store, `.deleting-${run.id}`);
    await rename(run.path, aside);
    doomed.push(aside);
  }
  for (const path of [...doomed, ...plan.snapshots.map(s => s.path)]) await rm(path, { recursive: true, force: true });
}

function ownSnapshots(doomed: readonly RunReader[], others: readonly RunReader[]): string[] {
  // A run that has not written its record yet may be about to use any snapshot.
  if (others.some(other => other.stored === undefined && (isActive(other.state) || other.state === 'queued')))
    return [];
  const used = new Set(others.flatMap(snapshotsOf));
  return [...new Set(doomed.flatMap(snapshotsOf))].filter(name => snapshotPattern.test(name) && !used.has(name));
}

function snapshotsOf(run: RunReader): string[] {
  return run.stored?.datasets.flatMap(dataset => ('snapshot' in dataset ? [dataset.snapshot] : [])) ?? [];
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
