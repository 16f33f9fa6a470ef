/**
 * @file The per-user registry of our processes: where it lies, what an entry says, and how a process's start time is
 * asked for. A pid found in a run folder is never trusted: it is ours only when an entry here (a folder outside every
 * workspace, mode 0700, files 0600) has the same pid, start time and nonce, and the operating system still reports that
 * start time. A process writes its entry before it writes its identity into status.json and removes it when it ends.
 */
import { z } from 'zod';
import { identitySchema, type ProcessIdentity } from './runFolder.ts';

export const registryEntrySchema = z.strictObject({
  ...identitySchema.shape,
  kind: z.enum(['trainer', 'tracker']),
  /** The run folder, as fs.realpath.native gives it. */
  run: z.string(),
  createdAt: z.string(),
});
export type RegistryEntry = z.infer<typeof registryEntrySchema>;

export interface UserPlace {
  platform: string;
  home: string;
  env: Readonly<Record<string, string | undefined>>;
}

/** The folder that holds `<nonce>.json` for each process of this user. `TUNING_FORK_STATE` moves it. */
export function registryFolder({ platform, home, env }: UserPlace): string {
  return `${userStateFolder({ platform, home, env })}/processes`;
}

export const registryFileName = (nonce: string): string => `${nonce}.json`;

/** This user's own folder beside every workspace: registry, queue, leases of windows. */
export function userStateFolder({ platform, home, env }: UserPlace): string {
  const chosen = env.TUNING_FORK_STATE;
  if (chosen !== undefined && isAbsolutePath(chosen)) return chosen;
  if (platform === 'win32') return `${env.LOCALAPPDATA ?? `${home}/AppData/Local`}/tuning-fork`;
  if (platform === 'darwin') return `${home}/Library/Application Support/tuning-fork`;
  const state = env.XDG_STATE_HOME;
  return `${state !== undefined && isAbsolutePath(state) ? state : `${home}/.local/state`}/tuning-fork`;
}

function isAbsolutePath(path: string): boolean {
  return /^(\/|[A-Za-z]:[\\/]|\\\\)/.test(path);
}

/** How the operating system tells a process's start time. Commands are absolute and run with `env` alone, no shell. */
export type StartTimeQuery =
  | { kind: 'file'; path: string }
  | { kind: 'command'; file: string; arguments: string[]; env: Record<string, string> };

export function startTimeQuery(platform: string, pid: number, systemRoot = 'C:\\Windows'): StartTimeQuery {
  if (platform === 'linux') return { kind: 'file', path: `/proc/${pid}/stat` };
  if (platform === 'win32') {
    const script = `(Get-Process -Id ${pid}).StartTime.ToUniversalTime().Ticks`;
    return {
      kind: 'command',
      file: `${systemRoot}\\System32\\WindowsPowerShell\\v1.0\\powershell.exe`,
      arguments: ['-NoProfile', '-NonInteractive', '-Command', script],
      env: { SystemRoot: systemRoot },
    };
  }
  return {
    kind: 'command',
    file: '/bin/ps',
    arguments: ['-o', 'lstart=', '-p', String(pid)],
    env: { LC_ALL: 'C', TZ: 'UTC' },
  };
}

/** The start time in the query's answer; undefined when there is no such process. Linux: clock ticks since boot. */
export function parseStartTime(platform: string, answer: string): string | undefined {
  // The command name in /proc/<pid>/stat stands in parentheses and may itself hold spaces and parentheses.
  const fields = platform === 'linux' ? answer.slice(answer.lastIndexOf(')') + 2).split(' ') : [answer];
  const isZombie = platform === 'linux' && (fields[0] === 'Z' || fields[0] === 'X');
  const text = (platform === 'linux' ? fields[19] : fields[0])?.trim().replace(/\s+/g, ' ');
  return text === undefined || text === '' || isZombie ? undefined : text;
}

/** Whether the entry speaks of exactly this process and this run. */
export function confirmsIdentity(entry: RegistryEntry, identity: ProcessIdentity, run: string): boolean {
  return (
    entry.pid === identity.pid &&
    entry.startTime === identity.startTime &&
    entry.nonce === identity.nonce &&
    entry.run === run
  );
}
