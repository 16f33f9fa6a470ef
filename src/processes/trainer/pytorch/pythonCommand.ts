/** @file A run -> how Python is started on it: arguments as an array, an environment that points it at no foreign modules. */
import { fileURLToPath } from 'node:url';
import type { ProcessIdentity } from '../../../shared/runFolder.ts';

export interface PythonCommand {
  readonly file: string;
  readonly arguments: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** Beside this program: the folder that holds the Python package. */
const packageFolder = fileURLToPath(new URL('./pytorch', import.meta.url));

const foreign =
  /^(PYTHON(PATH|HOME|STARTUP|USERBASE|INSPECT|EXECUTABLE)|VIRTUAL_ENV|CONDA_PREFIX|__PYVENV_LAUNCHER__)$/i;

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
      ...Object.fromEntries(Object.entries(env).filter(([name]) => !foreign.test(name))),
      PYTHONNOUSERSITE: '1',
      PYTHONUTF8: '1',
      PYTHONPATH: packageFolder,
      PYTHONSAFEPATH: '1', // the working directory is on no search path
      TUNING_FORK_IDENTITY: JSON.stringify(identity),
      TUNING_FORK_PARENT: String(process.pid),
    },
  };
}
