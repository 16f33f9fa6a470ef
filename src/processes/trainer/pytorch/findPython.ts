/** @file The Python that the PyTorch engine runs with: the user's own interpreter, where one is named, else the environment of ours. */
import { homedir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describePython } from '../../../core/python/describePython.ts';
import { runProgram } from '../../../core/python/runProgram.ts';
import type { Hyperparameters } from '../../../shared/hyperparameters.ts';
import type { PythonReport } from '../../../shared/pythonReport.ts';
import { pythonFolder } from '../../../shared/userCache.ts';

/** Undefined where there is none, or none is asked for. */
export async function findPython({ engine }: Pick<Hyperparameters, 'engine'>): Promise<PythonReport | undefined> {
  if (engine === 'embedded') return undefined;
  const { env, platform } = process;
  const place = {
    root: pythonFolder({ platform, home: homedir(), env }),
    requirementsFolder: fileURLToPath(new URL('./pytorch/requirements', import.meta.url)),
    env,
  };
  return await describePython(place, { run: runProgram });
}
