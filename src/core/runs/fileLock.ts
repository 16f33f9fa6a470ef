/** @file A lock between processes for sections of a few milliseconds: a file that only one can create, broken when its owner is dead. */
import { randomBytes } from 'node:crypto';
import { closeSync, linkSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { TuneError } from '../../shared/errors.ts';
import { toWriteError } from '../formats/stagedFile.ts';
import { readStartTime } from './processRegistry.ts';

const retryMs = 10;
const giveUpMs = 10_000;

/** Runs `act` while no other process holds `path`. @throws TuneError `run-busy` when it stays held for 10 s */
export async function withFileLock<T>(path: string, act: () => T): Promise<T> {
  const owner = JSON.stringify({
    pid: process.pid,
    startTime: readStartTime(process.pid),
    nonce: randomBytes(8).toString('hex'),
  });
  for (let waitedMs = 0; !tryCreate(path, owner); waitedMs += retryMs) {
    if (waitedMs >= giveUpMs) {
      throw new TuneError('run-busy', `${path}: expected the lock to become free, got none within ${giveUpMs} ms`, {
        file: path,
        hint: 'Another process of this program hangs; end it, then try again.',
      });
    }
    breakIfDead(path);
    await new Promise(resolve => setTimeout(resolve, retryMs));
  }
  try {
    return act();
  } finally {
    rmSync(path, { force: true });
  }
}

/** Written whole under another name, then linked: a lock file is never seen half-written. */
function tryCreate(path: string, owner: string): boolean {
  const own = `${path}.${process.pid}-${randomBytes(4).toString('hex')}`;
  try {
    writeFileSync(own, owner, { mode: 0o600 });
    linkSync(own, path);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EEXIST') return false;
    if (code === 'EPERM' || code === 'ENOSYS' || code === 'ENOTSUP') return tryCreateExclusive(path, owner);
    throw toWriteError(error, path);
  } finally {
    rmSync(own, { force: true });
  }
}

/** For file systems without hard links. */
function tryCreateExclusive(path: string, owner: string): boolean {
  try {
    const descriptor = openSync(path, 'wx', 0o600);
    writeFileSync(descriptor, owner);
    closeSync(descriptor);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw toWriteError(error, path);
  }
}

/** The dead owner's file is renamed away first: of two that see it dead only one succeeds. */
function breakIfDead(path: string): void {
  try {
    const seen = readFileSync(path, 'utf8');
    if (seen === '') return;
    const { pid, startTime } = JSON.parse(seen) as { pid: number; startTime: string };
    if (readStartTime(pid) === startTime) return;
    const broken = `${path}.broken-${randomBytes(4).toString('hex')}`;
    renameSync(path, broken);
    if (readFileSync(broken, 'utf8') !== seen) linkSync(broken, path);
    rmSync(broken, { force: true });
  } catch (error) {
    // The owner let go in between, or another process broke the lock first.
    if (!['ENOENT', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}
