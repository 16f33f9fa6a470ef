/**
 * @file One download of a file at a time, across processes: a lock file whose holder keeps touching it, so that one left behind
 * by a process that died is taken over.
 */
import { mkdir, open, rm, stat, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { toWriteError } from '../../formats/stagedFile.ts';

const touchEveryMs = 5_000;
const staleAfterMs = 30_000;
const pollMs = 250;

/** The result of `action`, run while this process alone holds the lock. */
export async function withHubLock<T>(
  path: string,
  signal: AbortSignal | undefined,
  action: () => Promise<T>,
): Promise<T> {
  while (!(await tryLock(path))) await wait(pollMs, undefined, { signal });
  const timer = setInterval(() => {
    const now = new Date();
    // A lock that someone removed is no reason to end a download.
    utimes(path, now, now).catch(() => undefined);
  }, touchEveryMs);
  try {
    return await action();
  } finally {
    clearInterval(timer);
    await rm(path, { force: true });
  }
}

async function tryLock(path: string): Promise<boolean> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await (await open(path, 'wx')).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw toWriteError(error, path);
  }
  const touchedMs = await stat(path).then(
    stats => stats.mtimeMs,
    () => 0,
  );
  if (Date.now() - touchedMs > staleAfterMs) await rm(path, { force: true });
  return false;
}
