/** @file This user's own processes on disk: enter, leave, and whether the process a run names is ours and alive. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { dirname, join } from 'node:path';
import {
  confirmsIdentity,
  parseStartTime,
  type RegistryEntry,
  registryEntrySchema,
  registryFileName,
  registryFolder,
  startTimeQuery,
} from '../../shared/processRegistry.ts';
import type { ProcessIdentity } from '../../shared/runFolder.ts';
import { makeFolders } from '../formats/makeFolders.ts';
import { toWriteError } from '../formats/stagedFile.ts';

/** Where this user's processes are entered. */
export function userRegistryFolder(): string {
  return registryFolder({ platform: process.platform, home: homedir(), env: process.env });
}

/** The user's own folder beside every workspace: registry, queue, logs. Made with mode 0700. */
export function ensureUserStateFolder(): string {
  const registry = userRegistryFolder();
  const folder = dirname(registry);
  try {
    makeFolders(registry, 0o700);
    if (process.platform !== 'win32') for (const path of [folder, registry]) chmodSync(path, 0o700);
  } catch (error) {
    throw toWriteError(error, folder);
  }
  return folder;
}

/** The start time the operating system reports; undefined when there is no such process. */
export function readStartTime(pid: number): string | undefined {
  const query = startTimeQuery(process.platform, pid, process.env.SystemRoot);
  try {
    const answer =
      query.kind === 'file'
        ? readFileSync(query.path, 'utf8')
        : execFileSync(query.file, query.arguments, {
            env: query.env,
            encoding: 'utf8',
            stdio: 'pipe',
            timeout: 10_000,
          });
    return parseStartTime(process.platform, answer);
  } catch {
    // No such process: /proc has no file for it, ps and PowerShell end with an error.
    return undefined;
  }
}

/** Enters this process as the owner of `run`; to be done before its identity is written anywhere. @throws TuneError `disk-full` | `not-writable` */
export function registerProcess(run: string, kind: RegistryEntry['kind'] = 'trainer'): ProcessIdentity {
  ensureUserStateFolder();
  const identity: ProcessIdentity = {
    pid: process.pid,
    startTime: readStartTime(process.pid) ?? 'unknown',
    nonce: randomBytes(16).toString('hex'),
    host: hostname(),
  };
  const entry: RegistryEntry = { ...identity, kind, run, createdAt: new Date().toISOString() };
  const path = entryPath(identity.nonce);
  try {
    writeFileSync(path, JSON.stringify(entry), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    rmSync(path, { force: true });
    throw toWriteError(error, path);
  }
  return identity;
}

export function unregisterProcess(nonce: string): void {
  rmSync(entryPath(nonce), { force: true });
}

/**
 * `alive`: ours and running. `gone`: ours, and it has ended. `stranger`: nothing in this user's registry speaks for it,
 * so it must be neither believed nor signalled.
 */
export function judgeProcess(identity: ProcessIdentity, run: string): 'alive' | 'gone' | 'stranger' {
  const path = entryPath(identity.nonce);
  if (!existsSync(path)) return 'stranger';
  const parsed = registryEntrySchema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (!parsed.success || !confirmsIdentity(parsed.data, identity, run)) return 'stranger';
  return readStartTime(identity.pid) === identity.startTime ? 'alive' : 'gone';
}

/** The runs that this user's processes are at work on. */
export function listLiveRuns(): string[] {
  const folder = userRegistryFolder();
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter(name => name.endsWith('.json'))
    .map(name => registryEntrySchema.safeParse(JSON.parse(readFileSync(join(folder, name), 'utf8'))))
    .flatMap(({ data }) => (data !== undefined && readStartTime(data.pid) === data.startTime ? [data.run] : []));
}

function entryPath(nonce: string): string {
  return join(userRegistryFolder(), registryFileName(nonce));
}
