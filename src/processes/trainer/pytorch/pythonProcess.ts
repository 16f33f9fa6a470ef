/** @file Python as a child of the trainer: started in a group of its own, and ended with everything that it started. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { PythonCommand } from './pythonCommand.ts';

export interface PythonEnd {
  readonly code: number | null;
  readonly signal: string | null;
  /** The last line that it said itself; empty when it said nothing. */
  readonly lastLine: string;
}

const keptCharacters = 64 * 1024;

/** Resolves when it and its output have ended; never rejects. */
export function runPython(command: PythonCommand, onText: (text: string) => void): Promise<PythonEnd> {
  const child = spawn(command.file, command.arguments, {
    env: command.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
    // A group of its own: launchers start processes that start processes.
    detached: process.platform !== 'win32',
  });
  const end = () => endTree(child);
  process.once('exit', end);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      onText(piece);
      text = (text + piece).slice(-keptCharacters);
    });
  }
  return new Promise(resolve => {
    const settle = (code: number | null, signal: string | null) => {
      process.off('exit', end);
      endTree(child);
      resolve({ code, signal, lastLine: lastLineOf(text) });
    };
    child.once('error', error => {
      text += `\n${error.message}`;
      settle(null, null);
    });
    child.once('close', settle);
  });
}

/** Whatever is left of the group. */
function endTree({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  if (process.platform === 'win32') {
    const program = join(process.env.SystemRoot ?? 'C:\\Windows', 'System32', 'taskkill.exe');
    spawnSync(program, ['/pid', String(pid), '/t', '/f'], { windowsHide: true });
    return;
  }
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function lastLineOf(text: string): string {
  return text.trimEnd().split('\n').at(-1)?.trim() ?? '';
}
