/** Runs that are prepared for the PyTorch engine and not begun, and Python on them as a scheduler would start it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { Hyperparameters } from '../../src/shared/hyperparameters.ts';
import { requirePython } from '../support/externals.ts';
import { makeTinyRun, runJob } from '../support/tinyRun.ts';

export const packageFolder = join(import.meta.dirname, '../../dist/pytorch');

/** A queued run in `folder` whose plan is written. */
export async function prepareRun(folder: string, settings: Partial<Hyperparameters>): Promise<string> {
  const run = makeTinyRun(folder, {
    model: { heads: 2 },
    settings: {
      engine: 'pytorch',
      launcher: 'torchrun',
      baseWeights: 'float32',
      targetModules: ['q_proj', 'v_proj'],
      rank: 4,
      alpha: 8,
      earlyStoppingPatience: 0,
      ...settings,
    },
  });
  const python = {
    source: 'user' as const,
    interpreter: requirePython(),
    version: null,
    packages: {},
    accelerators: [],
    problems: [],
  };
  const { end } = await runJob(run, { python });
  if (end.reason !== 'handedOver') throw new Error(`expected a run for Python, got ${end.reason}`);
  return run;
}

const started = new Set<ChildProcess>();
afterAll(() => {
  for (const child of started) endGroup(child);
});

export interface PythonChild {
  readonly process: ChildProcess;
  readonly ended: Promise<number | null>;
}

/** @param wrapper a program that starts Python, with its arguments: another host */
export function startPython(run: string, env: NodeJS.ProcessEnv = {}, wrapper: readonly string[] = []): PythonChild {
  mkdirSync(join(run, 'logs'), { recursive: true });
  const said = openSync(join(run, 'logs', 'launcher.txt'), 'a');
  const [program, ...before] = [...wrapper, requirePython()];
  const child = spawn(program!, [...before, '-m', 'tuning_fork_engine', run], {
    env: { ...process.env, OMP_NUM_THREADS: '1', PYTHONPATH: packageFolder, ...env },
    stdio: ['ignore', said, said],
    detached: true,
  });
  const ended = new Promise<number | null>(resolve => child.once('exit', resolve));
  started.add(child);
  child.once('exit', () => started.delete(child));
  return { process: child, ended };
}

/** The launcher and its processes, whether or not they still live. */
export function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The processes of a run by their number, told by their environment: none but the run's own. */
export function findRanks(run: string): Map<number, number> {
  const found = new Map<number, number>();
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    const [command, environment] = ['cmdline', 'environ'].map(name => readProcess(pid, name));
    if (!command?.includes(`tuning_fork_engine\0${run}\0`)) continue;
    const rank = /(?:^|\0)RANK=(\d+)\0/.exec(environment ?? '')?.[1];
    if (rank !== undefined) found.set(Number(rank), Number(pid));
  }
  return found;
}

function readProcess(pid: string, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return undefined; // ended meanwhile, or another user's
  }
}

export function readLog(run: string): string {
  const path = join(run, 'log.txt');
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
