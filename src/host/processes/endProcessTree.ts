/** @file A verified trainer -> ended, with everything it started. */

import treeKill from 'tree-kill';
import type { ProcessIdentity } from '../../shared/runFolder.ts';
import type { ProcessVerifier } from './processIdentity.ts';

/**
 * Ends the run's process tree; false when the registry does not confirm the process, which is then left alone.
 * A detached trainer leads its own process group, so that one signal reaches all of it; Windows has no groups.
 */
export async function endProcessTree(
  run: string,
  identity: ProcessIdentity,
  verifier: ProcessVerifier,
): Promise<boolean> {
  if (!(await verifier.isOurs(run, identity))) return false;
  if (process.platform === 'win32') {
    await new Promise<void>((resolve, reject) =>
      treeKill(identity.pid, 'SIGKILL', error => (error ? reject(error) : resolve())),
    );
    return true;
  }
  try {
    process.kill(-identity.pid, 'SIGKILL');
  } catch {
    // Not a group leader: started attached, by the command line.
    process.kill(identity.pid, 'SIGKILL');
  }
  return true;
}
