/** @file The Python of this machine: the user's own interpreter, where one is named, else the environment of ours. */
import { homedir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describePython, findInterpreter, type PythonPlace } from '../../../core/python/describePython.ts';
import { runProgram } from '../../../core/python/runProgram.ts';
import type { Hyperparameters } from '../../../shared/hyperparameters.ts';
import type { PythonReport } from '../../../shared/pythonReport.ts';
import { pythonFolder } from '../../../shared/userCache.ts';

/** What the PyTorch engine runs with; undefined where there is none, or none is asked for. */
export async function findPython({ engine }: Pick<Hyperparameters, 'engine'>): Promise<PythonReport | undefined> {
  return engine === 'embedded' ? undefined : await describePython(locatePlace(), { run: runProgram });
}

/** What Optuna runs with; without both the one on the PATH, given by its plain name. */
export function findOptunaPython(): string {
  return findInterpreter(locatePlace())?.interpreter ?? (process.platform === 'win32' ? 'python' : 'python3');
}

function locatePlace(): PythonPlace {
  const { env, platform } = process;
  return {
    root: pythonFolder({ platform, home: homedir(), env }),
    requirementsFolder: fileURLToPath(new URL('./pytorch/requirements', import.meta.url)),
    env,
  };
}
