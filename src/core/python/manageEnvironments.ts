/** @file The environments of our own: what there is of them, and their removal. */
import { TuneError } from '../../shared/errors.ts';
import type { PythonStatus } from '../../shared/pythonProtocol.ts';
import type { PythonReport } from '../../shared/pythonReport.ts';
import { listLiveRuns } from '../runs/processRegistry.ts';
import { readRecord } from '../runs/runFiles.ts';
import { listCurrentEnvironments, type PythonPlace } from './describePython.ts';
import { requireUnclaimed } from './installClaim.ts';
import { countBytes, listEnvironments, removeEnvironment } from './ownEnvironment.ts';

export function statusOf(place: PythonPlace, report: PythonReport | undefined): PythonStatus {
  const current = new Set(listCurrentEnvironments(place).map(({ folder }) => folder));
  return {
    report: report ?? null,
    environments: listEnvironments(place.root).map(({ folder, marker }) => ({
      folder,
      bytes: countBytes(folder),
      isReady: marker !== undefined,
      isCurrent: current.has(folder),
    })),
  };
}

/** Deletes all of them; the folders. @throws TuneError `run-busy` while one is being installed or a run trains with it */
export async function removeOwnEnvironments({ root }: Pick<PythonPlace, 'root'>): Promise<string[]> {
  const environments = listEnvironments(root);
  for (const { folder } of environments) requireUnclaimed(folder);
  const user = listLiveRuns().find(run => readRecord(run)?.engine === 'pytorch');
  if (environments.length > 0 && user !== undefined) {
    throw new TuneError('run-busy', `${root}: expected no run that trains with it, got ${user}`, {
      file: user,
      hint: 'Pause or stop that run first.',
    });
  }
  for (const environment of environments) removeEnvironment(environment);
  return environments.map(({ folder }) => folder);
}
