/** Where the PyTorch engine's Python is looked for, and made. */
import { homedir } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { PythonPlace } from '../core/python/describePython.ts';
import { pythonFolder } from '../shared/userCache.ts';

export function locatePython(): PythonPlace {
  const { env, platform } = process;
  return {
    root: pythonFolder({ platform, home: homedir(), env }),
    requirementsFolder: fileURLToPath(new URL('./pytorch/requirements', import.meta.url)),
    env,
  };
}
