// @ts-check
/** Ends the runs that a demo or a test left training: runs outlive the editor on purpose. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Ends every process of a registry that is the caller's own (a TUNING_FORK_STATE folder made for it, so that no other
 * run can stand there).
 * @param {string} stateFolder
 */
export function endDetachedRuns(stateFolder) {
  const registry = join(stateFolder, 'processes');
  for (const file of existsSync(registry) ? readdirSync(registry) : []) {
    if (!file.endsWith('.json')) continue;
    const { pid } = JSON.parse(readFileSync(join(registry, file), 'utf8'));
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error; // it has ended by itself
    }
  }
}
