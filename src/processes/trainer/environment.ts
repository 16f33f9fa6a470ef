/** @file Makes this process independent of whoever started it: no workspace as working directory or on a search path. */
import { ensureUserStateFolder } from '../../core/runs/processRegistry.ts';

/** To be done before anything else. @throws TuneError `not-writable` when the user's own folder cannot be made */
export function enterOwnEnvironment(): void {
  process.chdir(ensureUserStateFolder());
  for (const name of ['NODE_OPTIONS', 'NODE_PATH', 'LD_PRELOAD', 'LD_LIBRARY_PATH', 'DYLD_INSERT_LIBRARIES']) {
    delete process.env[name];
  }
  process.env.ORT_DISABLE_TELEMETRY = '1';
}
