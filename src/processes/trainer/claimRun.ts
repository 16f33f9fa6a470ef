/** @file A command -> the run it is about: a new folder, or an existing one that nobody works on. */
import { existsSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, isAbsolute, join } from 'node:path';
import { toWriteError } from '../../core/formats/stagedFile.ts';
import { closeControlRequests } from '../../core/runs/controlFolder.ts';
import { judgeProcess, unregisterProcess } from '../../core/runs/processRegistry.ts';
import { readStatus, readStoredRequest } from '../../core/runs/runFiles.ts';
import { createRunFolder } from '../../core/runs/runStore.ts';
import { TuneError } from '../../shared/errors.ts';
import { isElsewhere, judgeRemote, remoteQuietMs } from '../../shared/remoteRun.ts';
import { type RunStatus, runNames } from '../../shared/runFolder.ts';
import { isActive, isResumable, shownState } from '../../shared/runState.ts';
import type { StoredRequest } from '../../shared/storedRecord.ts';
import type { WorkCommand } from '../../shared/trainerProtocol.ts';

export interface ClaimedRun {
  readonly id: string;
  /** Absolute, links resolved. */
  readonly path: string;
  /** Queued, with the number of this attempt. */
  readonly status: RunStatus;
  readonly request: StoredRequest;
}

/** A process of another user or machine shows that it lives by this. */
const freshHeartbeatMs = 10_000;

/** @throws TuneError `disk-full` | `not-writable` | `run-invalid` | `run-busy` */
export function claimRun(command: WorkCommand): ClaimedRun {
  return command.type === 'start' ? claimNewRun(command) : claimExistingRun(command.run);
}

function claimNewRun({ store, request }: Extract<WorkCommand, { type: 'start' }>): ClaimedRun {
  if (!isAbsolute(store)) throw new TuneError('usage', `store: expected an absolute path, got ${store}`);
  return { ...createRunFolder(store, request, new Date()), request };
}

function claimExistingRun(given: string): ClaimedRun {
  if (!isAbsolute(given) || !existsSync(given)) {
    throw new TuneError('run-invalid', `${given}: expected the folder of a run, got no such folder`, { file: given });
  }
  const path = realpathSync(given);
  const request = readStoredRequest(path);
  const status = readStatus(path);
  const judged = status.identity === null ? 'gone' : judgeProcess(status.identity, path);
  refuseOtherMachine(path, status);
  const state = shownState(status, judged === 'alive');
  if (judged === 'stranger' && isActive(status.state)) refuseForeignOwner(path, status);
  if (isActive(state)) {
    throw new TuneError('run-busy', `${path}: expected a run that has ended, got ${state}`, {
      file: path,
      hint: 'It is being worked on already; pause or stop it first.',
    });
  }
  if (state !== 'queued' && !isResumable(state)) {
    throw new TuneError('run-invalid', `${path}: expected a run that can go on, got ${state}`, {
      file: path,
      hint: 'Start a new run with the same recipe: tuning-fork train --recipe <run>/run.json',
    });
  }
  if (state !== 'queued') {
    const message = 'trainer: the process that was asked has ended';
    closeControlRequests(path, { error: { code: 'process-ended', message } });
  }
  if (judged === 'gone' && status.identity !== null) unregisterProcess(status.identity.nonce);
  const attempt = status.state === 'queued' ? status.attempt : status.attempt + 1;
  return {
    id: basename(path),
    path,
    request,
    status: { ...status, state: 'queued', attempt, identity: null, phase: null, error: null, stoppedEarly: false },
  };
}

/** Its clock may differ, so the age of its last sign is also taken by the disk's own clock. */
function refuseOtherMachine(path: string, status: RunStatus): void {
  const { identity } = status;
  if (identity === null || !isActive(status.state) || !isElsewhere(identity, hostname())) return;
  if (!judgeRemote(status, measureStatusAge(path), Date.now())) return;
  throw new TuneError(
    'run-identity',
    `${path}: expected a run that nobody works on, got one at work on ${identity.host}`,
    {
      file: path,
      hint: `Pause or stop it first. If ${identity.host} is gone, try again ${remoteQuietMs / 60_000} minutes after its last sign of life.`,
    },
  );
}

/** By the clock that stamps files there: a new one is compared with status.json. */
function measureStatusAge(run: string): number {
  const clock = join(run, `.clock-${process.pid}`);
  try {
    writeFileSync(clock, '');
    return statSync(clock).mtimeMs - statSync(join(run, runNames.status)).mtimeMs;
  } catch (error) {
    throw toWriteError(error, run);
  } finally {
    rmSync(clock, { force: true });
  }
}

/** Nothing here knows that process: it is not signalled, and while its heart beats the run is not taken from it. */
function refuseForeignOwner(path: string, status: RunStatus): void {
  const ageMs = Math.abs(Date.now() - Date.parse(status.heartbeatAt));
  if (ageMs > freshHeartbeatMs) return;
  throw new TuneError(
    'run-identity',
    `${path}: expected a run of this user's own processes, got process ${status.identity?.pid}`,
    {
      file: path,
      hint: 'Another user or machine seems to work on it. If not, try again in 10 seconds.',
    },
  );
}
