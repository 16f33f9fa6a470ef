/** @file One installation at a time in a folder: a file that names the process at work, believed only while that lives. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { TuneError } from '../../shared/errors.ts';
import { withFileLock } from '../runs/fileLock.ts';
import { readJson, writeJson } from '../runs/jsonFile.ts';
import { readStartTime } from '../runs/processRegistry.ts';

const ownerSchema = z.strictObject({ pid: z.number().int(), startTime: z.string() });

const claimPath = (folder: string) => join(folder, 'installing.json');

/** The act that gives it back. @throws TuneError `run-busy` */
export async function claimInstall(folder: string): Promise<() => Promise<void>> {
  const lock = `${folder}.lock`;
  await withFileLock(lock, () => {
    requireUnclaimed(folder);
    writeJson(claimPath(folder), { pid: process.pid, startTime: readStartTime(process.pid) ?? 'unknown' });
  });
  return () => withFileLock(lock, () => rmSync(claimPath(folder), { force: true }));
}

/** @throws TuneError `run-busy` while somebody installs there */
export function requireUnclaimed(folder: string): void {
  if (!existsSync(claimPath(folder))) return;
  const { pid, startTime } = readJson(claimPath(folder), ownerSchema);
  if (readStartTime(pid) !== startTime) return;
  throw new TuneError('run-busy', `${folder}: expected nobody at work on it, got process ${pid}`, {
    file: folder,
    hint: 'Another window or terminal installs it; wait for it to end, or stop it.',
  });
}
