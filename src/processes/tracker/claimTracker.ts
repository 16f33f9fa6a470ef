/** @file One process a tracker of a run: whoever comes second leaves. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolders } from '../../core/formats/makeFolders.ts';
import { withFileLock } from '../../core/runs/fileLock.ts';
import { judgeProcess } from '../../core/runs/processRegistry.ts';
import { startPosition } from '../../core/trackers/runTail.ts';
import { isNamedByUser, readReport, writeReport } from '../../core/trackers/trackerFiles.ts';
import type { WireError } from '../../shared/errors.ts';
import { type ProcessIdentity, runNames } from '../../shared/runFolder.ts';
import { nameDestination, type TrackerReport, type TrackerTarget, trackerLabels } from '../../shared/trackers.ts';

/** A process that is just leaving needs a moment. */
const looks = 10;
const lookMs = 500;

/** False when another process reports there, or this user never named the place. */
export async function claimTracker(run: string, target: TrackerTarget, identity: ProcessIdentity): Promise<boolean> {
  makeFolders(join(run, runNames.trackers));
  const lock = join(run, runNames.trackers, `${target.kind}.lock`);
  for (let look = 0; look < looks; look++) {
    const isOurs = await withFileLock(lock, () => {
      const kept = readReport(run, target.kind);
      if (kept?.identity != null && judgeProcess(kept.identity, run) === 'alive') return false;
      const isAllowed = isNamedByUser(target);
      const base = JSON.stringify(kept?.target) === JSON.stringify(target) ? kept! : makeReport(target);
      const state = isAllowed ? 'reporting' : 'refused';
      const error = isAllowed ? null : refuse(target);
      const now = new Date().toISOString();
      writeReport(run, { ...base, state, error, retryAt: null, updatedAt: now, identity: isAllowed ? identity : null });
      return isAllowed ? 'claimed' : 'refused';
    });
    if (isOurs !== false) return isOurs === 'claimed';
    await sleep(lookMs);
  }
  return false;
}

function makeReport(target: TrackerTarget): TrackerReport {
  return {
    target,
    state: 'reporting',
    position: startPosition,
    memory: {},
    link: null,
    remarks: [],
    error: null,
    retryAt: null,
    updatedAt: new Date().toISOString(),
    identity: null,
  };
}

function refuse(target: TrackerTarget): WireError {
  return {
    code: 'tracker',
    message: `${runNames.trackersFile}: expected a place that you have named before, got ${nameDestination(target)}`,
    hint: `A run folder may come from anyone. To report it there, say so: tuning-fork track <run> --to ${target.kind}, or choose ${trackerLabels[target.kind]} again.`,
  };
}
