/** @file The editor's environment -> what a child process gets: no debugger, no foreign modules, no workspace on a search path. */
import { isAbsolute, relative, resolve } from 'node:path';

const removedNames = /^(NODE_OPTIONS|NODE_PATH|NODE_CHANNEL_.*|NODE_V8_COVERAGE|ELECTRON_.*|VSCODE_.*)$/i;
/** Where programs and native libraries are looked for. */
const searchPathNames = /^(PATH|LD_LIBRARY_PATH|DYLD_(FALLBACK_)?(LIBRARY|FRAMEWORK)_PATH)$/i;

export type Environment = Record<string, string | undefined>;

/** `forbiddenFolders` are the workspace's: nothing is ever looked up below them. */
export function cleanEnvironment(
  env: Environment,
  forbiddenFolders: readonly string[],
  delimiter: string,
): Environment {
  const clean: Environment = {};
  for (const [name, value] of Object.entries(env)) {
    if (removedNames.test(name)) continue;
    if (!searchPathNames.test(name)) {
      clean[name] = value;
      continue;
    }
    const folders = safePath(value ?? '', forbiddenFolders, delimiter);
    if (folders.length > 0) clean[name] = folders.join(delimiter);
  }
  clean.ORT_DISABLE_TELEMETRY = '1';
  return clean;
}

/** The folders of a PATH that are absolute and outside the forbidden ones. */
export function safePath(path: string, forbiddenFolders: readonly string[], delimiter: string): string[] {
  return path
    .split(delimiter)
    .map(folder => folder.replace(/^"(.*)"$/, '$1'))
    .filter(folder => isAbsolute(folder) && !forbiddenFolders.some(forbidden => isInside(folder, forbidden)));
}

/** Whether `path` is `folder` or lies below it. */
export function isInside(path: string, folder: string): boolean {
  const way = relative(resolve(folder), resolve(path));
  return way === '' || (!/^\.\.([\\/]|$)/.test(way) && !isAbsolute(way));
}
