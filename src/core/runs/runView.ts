/** @file A run's folder -> what is true of it now, whatever its status says. */
import { basename } from 'node:path';
import type { RunNotes, RunStatus } from '../../shared/runFolder.ts';
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
  /** What the user's own registry says of the process that the status names; null when it names none. */
  readonly process: 'alive' | 'gone' | 'stranger' | null;
}

/** @throws TuneError `run-invalid` */
export function viewRun(run: string): RunView {
  const status = readStatus(run);
  const process = status.identity === null ? null : judgeProcess(status.identity, run);
  return {
    id: basename(run),
    path: run,
    state: shownState(status, process === 'alive'),
    status,
    notes: readNotes(run),
    record: readStoredRecord(run),
    process,
  };
}
