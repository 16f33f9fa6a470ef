/** @file pid of a run folder -> whether that process is ours: the per-user registry and the operating system agree. */
import { execFile } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  confirmsIdentity,
  parseStartTime,
  registryEntrySchema,
  registryFileName,
  registryFolder,
  startTimeQuery,
} from '../../shared/processRegistry.ts';
import type { ProcessIdentity } from '../../shared/runFolder.ts';
import { readJsonFile } from '../runs/readJsonFile.ts';

export type StartTimeReader = (pid: number) => Promise<string | undefined>;

/** Where asking the operating system costs a process, an answer stands this long while the pid exists. */
const confirmedForMs = 20_000;

export class ProcessVerifier {
  private readonly confirmed = new Map<string, number>();

  constructor(
    private readonly folder: string = registryFolder({ platform: process.platform, home: homedir(), env: process.env }),
    private readonly readStartTime: StartTimeReader = readProcessStartTime,
    private readonly now: () => number = Date.now,
    private readonly rememberMs = process.platform === 'linux' ? 0 : confirmedForMs,
  ) {}

  /** Cheap enough for every look at a run; never good enough to signal a process. */
  async isAlive(run: string, identity: ProcessIdentity): Promise<boolean> {
    const confirmedAt = this.confirmed.get(identity.nonce);
    if (confirmedAt !== undefined && this.now() - confirmedAt < this.rememberMs) return doesPidExist(identity.pid);
    return await this.isOurs(run, identity);
  }

  /** Full check, to be made immediately before a signal. */
  async isOurs(run: string, identity: ProcessIdentity): Promise<boolean> {
    this.confirmed.delete(identity.nonce);
    const entry = await readJsonFile(join(this.folder, registryFileName(identity.nonce)), registryEntrySchema);
    const realRun = await realpath(run).catch(() => run);
    if (entry === undefined || !confirmsIdentity(entry, identity, realRun)) return false;
    if ((await this.readStartTime(identity.pid)) !== identity.startTime) return false;
    this.confirmed.set(identity.nonce, this.now());
    return true;
  }
}

/** Whether any process has this pid. */
export function doesPidExist(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The operating system's start time of a process; undefined when there is none. */
export async function readProcessStartTime(pid: number): Promise<string | undefined> {
  const query = startTimeQuery(process.platform, pid, process.env.SystemRoot);
  try {
    const answer =
      query.kind === 'file'
        ? await readFile(query.path, 'utf8')
        : await new Promise<string>((resolve, reject) => {
            const options = { env: query.env, timeout: 10_000, windowsHide: true };
            execFile(query.file, query.arguments, options, (error, output) =>
              error ? reject(error) : resolve(output),
            );
          });
    return parseStartTime(process.platform, answer);
  } catch {
    return undefined;
  }
}
