/** @file A program's name -> where it lies on the search path, absolute folders alone. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** In the order of the path; each file once. */
export function findOnPath(name: string, env: NodeJS.ProcessEnv, platform = process.platform): string[] {
  const path = env.PATH ?? env.Path ?? '';
  const file = platform === 'win32' ? `${name}.exe` : name;
  const found = path
    .split(delimiter)
    .map(folder => folder.replace(/^"(.*)"$/, '$1'))
    .filter(folder => isAbsolute(folder))
    .map(folder => join(folder, file))
    .filter(isProgram);
  return [...new Set(found)];
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Not there, or not to be run by this user: not a program.
    return false;
  }
}
