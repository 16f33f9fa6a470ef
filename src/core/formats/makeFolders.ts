/** @file A path -> that folder with every folder above it, or the system's own reason why it cannot be made. */
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/** Throws the file system's error, to be named by the caller (see toWriteError). */
export function makeFolders(path: string, mode?: number): void {
  try {
    mkdirSync(path, { recursive: true, ...(mode === undefined ? {} : { mode }) });
  } catch (error) {
    throw findCause(error, path);
  }
}

/** Node calls a read-only disk ENOENT when it makes several folders: what the nearest folder that exists says. */
function findCause(error: unknown, path: string): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return error;
  let existing = path;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  try {
    accessSync(existing, constants.W_OK);
    return error;
  } catch (cause) {
    return cause;
  }
}
