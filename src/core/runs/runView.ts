/** @file A run's folder -> what is true of it now, whatever its status says. */
import { statSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { isElsewhere, judgeRemote } from '../../shared/remoteRun.ts';
import { type ProcessIdentity, type RunNotes, type RunStatus, runNames } from '../../shared/runFolder.ts';
import { type ShownState, shownState } from '../../shared/runState.ts';
import type { StoredRecord } from '../../shared/storedRecord.ts';
import { judgeProcess } from './processRegistry.ts';
import { readNotes, readStatus, readStoredRecord } from './runFiles.ts';

export interface RunView {
  readonly id: string;
  readonly path: string;
  readonly state: ShownState;
  readonly status: RunStatus;
  readonly notes: RunNotes;
  /** Undefined while the run was not prepared. */
  readonly record: StoredRecord | undefined;
  /**
   * What the user's own registry says of the process that the status names; `elsewhere` when another machine shows signs of
   * life; null when the status names none.
   */
  readonly process: 'alive' | 'gone' | 'stranger' | 'elsewhere' | null;
}

/** @throws TuneError `run-invalid` */
export function viewRun(run: string): RunView {
  const status = readStatus(run);
  const process = status.identity === null ? null : judgeOwner(run, status, status.identity);
  return {
    id: basename(run),
    path: run,
    state: shownState(status, process === 'alive' || process === 'elsewhere'),
    status,
    notes: readNotes(run),
    record: readStoredRecord(run),
    process,
  };
}

function judgeOwner(run: string, status: RunStatus, identity: ProcessIdentity): NonNullable<RunView['process']> {
  if (!isElsewhere(identity, hostname())) return judgeProcess(identity, run);
  const fileAgeMs = Date.now() - statSync(join(run, runNames.status)).mtimeMs;
  return judgeRemote(status, fileAgeMs, Date.now()) ? 'elsewhere' : 'gone';
}
