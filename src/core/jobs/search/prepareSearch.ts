/** @file The request of a search -> its record in run.json, after every check that a trial would make; or the record it has. */

import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { TuneError } from '../../../shared/errors.ts';
import { runSchemaVersion } from '../../../shared/recipe.ts';
import type { SearchRecord, SearchRequest } from '../../../shared/searchRecord.ts';
import { readStoredRecord, readStoredRequest, writeRecord } from '../../runs/runFiles.ts';
import { storeOf } from '../../runs/runStore.ts';
import { checkParameter } from '../../search/searchSpace.ts';
import { type CheckOptions, checkRun, enforceChecks } from '../prepare/checkRun.ts';
import { describeModel, snapshotSources } from '../prepare/prepareRun.ts';
import { listVersions } from '../prepare/versions.ts';
import { offerDataChoices } from './offerDataChoices.ts';
import type { TrialShare } from './trialRuns.ts';

/** Rows that no trial sees, where the recipe keeps none. */
const testRatio = 0.1;

/** Nothing is written before every check has passed. @throws TuneError; JobInterrupted */
export async function prepareSearch(
  run: string,
  options: CheckOptions,
  decide: (request: SearchRequest) => Promise<SearchRequest> = async request => request,
): Promise<SearchRecord> {
  const known = readStoredRecord(run);
  if (known?.kind === 'search') return known;
  const asked = readStoredRequest(run);
  if (asked.kind !== 'search') throw new TuneError('run-invalid', `${run}: expected a search, got another kind of run`);
  const request = await offerDataChoices(await decide(withTestRows(asked)), options);
  for (const parameter of request.settings.space) checkParameter(parameter);
  const checked = await checkRun(request.base, { ...options, measures: true });
  try {
    enforceChecks(checked, request.base.overrides);
    if (checked.forecast.heldOutRows === 0) {
      throw new TuneError('preflight', `${run}: expected held-out rows to judge trials by, got none`, {
        hint: 'Raise evalRatio, or add rows with different questions.',
      });
    }
    options.onPhase('hashing model', 0, 1);
    const record: SearchRecord = {
      schemaVersion: runSchemaVersion,
      id: basename(run),
      kind: 'search',
      parents: [...request.parents],
      createdAt: new Date().toISOString(),
      model: describeModel(checked.model),
      datasets: snapshotSources(storeOf(run), checked),
      base: request.base,
      settings: request.settings,
      automatic: request.automatic,
      versions: listVersions(),
      forecast: checked.forecast,
    };
    writeRecord(run, record);
    return record;
  } finally {
    checked.model.close();
    checked.teacher?.model.close();
  }
}

function withTestRows(request: SearchRequest): SearchRequest {
  const { hyperparameters } = request.base;
  if (hyperparameters.testRatio > 0) return request;
  return { ...request, base: { ...request.base, hyperparameters: { ...hyperparameters, testRatio } } };
}

/** How many trials have room beside each other, and what each of them may use. */
export function shareMachine({ settings, base, forecast }: SearchRecord): { parallel: number; share: TrialShare } {
  const { threads } = base.hyperparameters;
  const cores = availableParallelism();
  const byMemory = Math.max(1, Math.floor(forecast.memoryLimitBytes / Math.max(1, forecast.peakMemoryBytes)));
  const byCores = threads === null ? 1 : Math.max(1, Math.floor(cores / threads));
  const parallel = Math.min(settings.parallel ?? byCores, byMemory, settings.budget.trials ?? Number.MAX_SAFE_INTEGER);
  if (parallel === 1) return { parallel, share: { threads: null, memoryLimitBytes: null } };
  return {
    parallel,
    share: {
      threads: threads ?? Math.max(1, Math.floor(cores / parallel)),
      memoryLimitBytes: Math.floor(forecast.memoryLimitBytes / parallel),
    },
  };
}
