/** @file The Python that the PyTorch engine runs with: the user's own interpreter, where one is named. */
import { isAbsolute } from 'node:path';
import { type PythonReport, pythonVariable } from '../../../shared/pythonReport.ts';

export function findPython(env: NodeJS.ProcessEnv = process.env): PythonReport | undefined {
  const interpreter = env[pythonVariable];
  if (interpreter === undefined || !isAbsolute(interpreter)) return undefined;
  return { source: 'user', interpreter, version: null, packages: {}, accelerators: [], problems: [] };
}
