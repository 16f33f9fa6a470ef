/** @file A program of the machine -> its exit code and what it said. Arguments are an array, there is no shell. */
import { type ChildProcess, spawn } from 'node:child_process';

export interface ProgramOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Each line of both streams as it comes. */
  readonly onLine?: (line: string) => void;
}

export interface ProgramResult {
  /** Null when it did not start, was ended, or ran out of time. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export type RunProgram = (
  file: string,
  programArguments: readonly string[],
  options: ProgramOptions,
) => Promise<ProgramResult>;

const keptCharacters = 1024 * 1024;

/** Never rejects. Stopping ends the program and everything it started. */
export const runProgram: RunProgram = (file, programArguments, options) =>
  new Promise(resolve => {
    if (options.signal?.aborted === true) return resolve({ code: null, stdout: '', stderr: 'stopped' });
    const child = spawn(file, programArguments, {
      cwd: options.cwd,
      env: options.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
      // A group of its own, so that pip's and uv's children end with them.
      detached: process.platform !== 'win32',
    });
    const text = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      let rest = '';
      child[name].setEncoding('utf8').on('data', (part: string) => {
        text[name] = (text[name] + part).slice(-keptCharacters);
        const lines = (rest + part).split(/\r\n|\n|\r/);
        rest = lines.pop() ?? '';
        for (const line of lines) options.onLine?.(line);
      });
    }
    const stop = () => endTree(child);
    const timer = options.timeoutMs === undefined ? undefined : setTimeout(stop, options.timeoutMs);
    options.signal?.addEventListener('abort', stop);
    const settle = (code: number | null, reason = '') => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', stop);
      resolve({ code, stdout: text.stdout, stderr: text.stderr === '' ? reason : text.stderr });
    };
    child.once('error', error => settle(null, error.message));
    child.once('close', code => settle(code));
  });

function endTree(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null) return;
  if (process.platform === 'win32') {
    const taskkill = `${process.env.SystemRoot ?? 'C:\\Windows'}\\System32\\taskkill.exe`;
    spawn(taskkill, ['/pid', String(child.pid), '/t', '/f'], { stdio: 'ignore', windowsHide: true });
    return;
  }
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
