/**
 * @file A run -> the rows that it, and the runs on whose rows it went on, were trained and measured on: a run on new rows keeps
 * of the old ones only what it replayed, so that the chain is followed to its beginning.
 */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { storeNames } from '../../../shared/runFolder.ts';
import { type EarlierRows, joinEarlier } from '../../data/split/splitSince.ts';
import { storeOf } from '../../runs/runStore.ts';
import { readRunData } from './runQuestions.ts';

/** Links of a chain; a longer one goes in a circle. */
const maxChain = 1000;

/** @throws TuneError as readRunData */
export async function readEarlier(run: string, left = maxChain): Promise<EarlierRows> {
  const { record, examples } = await readRunData(run);
  const own = { examples, isCleaned: record.datasets.some(({ cleaning }) => cleaning !== undefined) };
  if (record.since === undefined || left === 0) return own;
  return joinEarlier(await readEarlier(locate(record.since, run), left - 1), own);
}

/** Where it was, or beside the run that names it when the workspace was moved. */
function locate(since: string, run: string): string {
  return existsSync(since) ? since : join(storeOf(run), storeNames.runs, basename(since));
}
