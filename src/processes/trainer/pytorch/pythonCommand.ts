/** @file A run -> how Python is started on it: arguments as an array, an environment that points it at no foreign modules. */
import { fileURLToPath } from 'node:url';
import { cleanPythonEnvironment } from '../../../core/python/pythonEnvironment.ts';
import type { ProcessIdentity } from '../../../shared/runFolder.ts';

export interface PythonCommand {
  readonly file: string;
  readonly arguments: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** Beside this program: the folder that holds the Python package. */
const packageFolder = fileURLToPath(new URL('./pytorch', import.meta.url));

/**
 * @param identity whose signs of life Python writes: those of the trainer that waits for it, and ends when it is gone
 */
export function pythonCommand(
  interpreter: string,
  run: string,
  identity: ProcessIdentity,
  env: NodeJS.ProcessEnv = process.env,
): PythonCommand {
  return {
    file: interpreter,
    arguments: ['-u', '-m', 'tuning_fork_engine', run],
    env: {
      ...cleanPythonEnvironment(env),
      PYTHONPATH: packageFolder,
      PYTHONSAFEPATH: '1', // the working directory is on no search path
      TUNING_FORK_IDENTITY: JSON.stringify(identity),
      TUNING_FORK_PARENT: String(process.pid),
    },
  };
}
