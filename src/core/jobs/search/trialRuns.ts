/** @file A trial -> its run: the request it is made from, the folder it has, and what that folder says was measured. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { TuneError } from '../../../shared/errors.ts';
import type { RunRequest } from '../../../shared/recipe.ts';
import { type RunStatus, runNames, storeNames } from '../../../shared/runFolder.ts';
import { parseMetrics, type RunSeries } from '../../../shared/runState.ts';
import type { SearchRecord } from '../../../shared/searchRecord.ts';
import { readRecord, readStatus, readStoredRequest } from '../../runs/runFiles.ts';
import { createRunFolder, listRuns, storeOf } from '../../runs/runStore.ts';
import { applyCleaning } from '../../search/cleaningChoice.ts';
import { applySettings } from '../../search/searchSpace.ts';
import { runOf, type Study, settingsOf } from '../../search/study.ts';
import type { Trial } from '../../search/trial.ts';
import { readQuietly } from '../readQuietly.ts';
import type { StudyBook } from './studyBook.ts';

/** Threads and memory of each of several trials at once. */
export interface TrialShare {
  readonly threads: number | null;
  readonly memoryLimitBytes: number | null;
}

export const runPath = (search: string, id: string): string => join(storeOf(search), storeNames.runs, id);

/** What the trial trains, under the name of the search. */
export function writeTrialRequest(record: SearchRecord, trial: Trial, share: TrialShare): RunRequest {
  const { base, id } = record;
  const settings = settingsOf(trial);
  const hyperparameters = applySettings(base.hyperparameters, settings);
  return {
    ...base,
    datasets: applyCleaning(base.datasets, settings),
    name: `${base.name.slice(0, 100)} · trial ${trial.number}`,
    hyperparameters: {
      ...hyperparameters,
      threads: share.threads ?? hyperparameters.threads,
      memoryLimitBytes: share.memoryLimitBytes ?? hyperparameters.memoryLimitBytes,
    },
    parents: [id],
  };
}

/** The trial's folder; made, and named in the journal, when it has none. */
export async function openTrialRun(
  search: string,
  study: Study,
  trial: Trial,
  request: () => RunRequest,
): Promise<string> {
  const known = runOf(trial);
  if (known !== undefined && existsSync(join(runPath(search, known), runNames.status))) return runPath(search, known);
  const { id, path } = createRunFolder(storeOf(search), request(), new Date());
  await study.name(trial, id);
  return path;
}

/**
 * Folders that were made just before this search was killed, and that neither a trial nor the winner names: nothing was done
 * in them. Damaged runs in the same store are passed over.
 */
export function dropForgottenRuns(search: string, { study, winner }: Pick<StudyBook, 'study' | 'winner'>): void {
  const named = new Set([...study.trials().map(runOf), winner?.run]);
  for (const path of listRuns(storeOf(search))) {
    if (named.has(basename(path)) || path === search) continue;
    const request = readQuietly(() => readStoredRequest(path));
    if (request === undefined || !request.parents.includes(basename(search))) continue;
    const status = readQuietly(() => readStatus(path));
    if (status?.state === 'queued') rmSync(path, { recursive: true, force: true });
  }
}

export interface TrialProgress {
  readonly series: RunSeries;
  readonly status: RunStatus;
  /** Held-out losses by per cent of the run, that of the base left out. */
  readonly reports: readonly { readonly percent: number; readonly lossNats: number }[];
  /** Trained on so far, padding left aside. */
  readonly tokens: number;
}

/** Undefined while the run was not prepared. @throws TuneError `dataset-invalid` when it trains on other data than the search */
export function readTrialProgress(path: string, { datasets }: SearchRecord): TrialProgress | undefined {
  const record = existsSync(path) ? readRecord(path) : undefined;
  if (record === undefined) return undefined;
  for (const [i, { path: file, sha256 }] of record.datasets.entries()) {
    if (datasets[i]?.sha256 === sha256) continue;
    throw new TuneError('dataset-invalid', `${file}: expected the file that the search began with, got a changed one`, {
      file,
      hint: 'Trials on different data cannot be compared: start the search anew.',
    });
  }
  const file = join(path, runNames.metrics);
  const series = parseMetrics(existsSync(file) ? readFileSync(file, 'utf8') : '');
  const { totalSteps, tokensPerEpoch } = record.forecast;
  const reports = series.evaluations
    .filter(({ step }) => step > 0)
    .map(({ step, evalLossNats }) => ({ percent: Math.round((100 * step) / totalSteps), lossNats: evalLossNats }));
  const tokens = Math.round((series.steps.at(-1)?.epoch ?? 0) * tokensPerEpoch);
  return { series, status: readStatus(path), reports, tokens };
}
