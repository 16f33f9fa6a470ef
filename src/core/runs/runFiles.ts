/** @file The files of one run's folder, each with its schema: read with a check, written whole. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { TuneError } from '../../shared/errors.ts';
import type { RunRecord, RunRequest } from '../../shared/recipe.ts';
import { notesSchema, type RunNotes, type RunStatus, runNames, statusSchema } from '../../shared/runFolder.ts';
import {
  asTraining,
  asTrainingRequest,
  kindOf,
  type StoredRecord,
  type StoredRequest,
  storedRecordSchema,
  storedRequestSchema,
} from '../../shared/storedRecord.ts';
import { readJson, writeJson } from './jsonFile.ts';

/** @throws TuneError `run-invalid`, as the others below */
export const readStatus = (run: string): RunStatus => readJson(join(run, runNames.status), statusSchema);
export const readStoredRequest = (run: string): StoredRequest =>
  readJson(join(run, runNames.request), storedRequestSchema);
export const readNotes = (run: string): RunNotes => readJson(join(run, runNames.notes), notesSchema);

/** What a run that trains was asked for. */
export function readRequest(run: string): RunRequest {
  const request = readStoredRequest(run);
  const training = asTrainingRequest(request);
  if (training === undefined) throw toKindError(run, kindOf(request));
  return training;
}

/** What the run is, of whatever kind; undefined while it was not prepared. */
export function readStoredRecord(run: string): StoredRecord | undefined {
  const path = join(run, runNames.run);
  return existsSync(path) ? readJson(path, storedRecordSchema) : undefined;
}

/** The recipe of a run that trains; undefined while it was not prepared. */
export function readRecord(run: string): RunRecord | undefined {
  const record = readStoredRecord(run);
  const training = asTraining(record);
  if (record !== undefined && training === undefined) throw toKindError(run, record.kind);
  return training;
}

function toKindError(run: string, kind: string): TuneError {
  return new TuneError('run-invalid', `${run}: expected a run that trains, got a ${kind}`, {
    file: run,
    hint: 'Name one of the runs that it started: tuning-fork runs',
  });
}

export const writeRecord = (run: string, record: StoredRecord): void => writeJson(join(run, runNames.run), record);
export const writeStatus = (run: string, status: RunStatus, isDurable: boolean): void =>
  writeJson(join(run, runNames.status), status, isDurable);
