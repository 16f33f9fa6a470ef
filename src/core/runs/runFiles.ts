/** @file The files of one run's folder, each with its schema: read with a check, written whole. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type RunRecord, type RunRequest, runRecordSchema, runRequestSchema } from '../../shared/recipe.ts';
import { notesSchema, type RunNotes, type RunStatus, runNames, statusSchema } from '../../shared/runFolder.ts';
import { readJson, writeJson } from './jsonFile.ts';

/** @throws TuneError `run-invalid`, as the others below */
export const readStatus = (run: string): RunStatus => readJson(join(run, runNames.status), statusSchema);
export const readRequest = (run: string): RunRequest => readJson(join(run, runNames.request), runRequestSchema);
export const readNotes = (run: string): RunNotes => readJson(join(run, runNames.notes), notesSchema);

/** The recipe; undefined while the run was not prepared. */
export function readRecord(run: string): RunRecord | undefined {
  const path = join(run, runNames.run);
  return existsSync(path) ? readJson(path, runRecordSchema) : undefined;
}

export const writeRecord = (run: string, record: RunRecord): void => writeJson(join(run, runNames.run), record);
export const writeStatus = (run: string, status: RunStatus, isDurable: boolean): void =>
  writeJson(join(run, runNames.status), status, isDurable);
