/** @file A run -> the questions of its dataset as they were split, from the snapshot that it was trained on. */
import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { TuneError } from '../../../shared/errors.ts';
import type { ModelReference, RunRecord } from '../../../shared/recipe.ts';
import type { SplitName } from '../../../shared/runFolder.ts';
import type { Example } from '../../data/example.ts';
import { examplesOf, readDatasetSnapshot } from '../../data/split/readDatasetSnapshot.ts';
import { type AnsweredQuestion, toAnsweredQuestion } from '../../infer/answeredQuestion.ts';
import { readRecord } from '../../runs/runFiles.ts';
import { storeOf } from '../../runs/runStore.ts';

export interface RunData {
  readonly record: RunRecord;
  readonly examples: Readonly<Record<SplitName, readonly Example[]>>;
}

/**
 * @param run its folder, absolute
 * @throws TuneError `run-invalid` before the run was prepared, `dataset-unreadable` or `dataset-invalid` for its snapshot
 */
export async function readRunData(run: string): Promise<RunData> {
  const record = readRecord(run);
  if (record === undefined) {
    throw new TuneError('run-invalid', `${run}: expected a run with a recipe (run.json), got one without`, {
      file: run,
      hint: 'The run never began, or the folder is no run.',
    });
  }
  const snapshots = await Promise.all(record.datasets.map(d => readDatasetSnapshot(storeOf(run), d.snapshot)));
  const side = (name: SplitName) => snapshots.flatMap(snapshot => examplesOf(snapshot, name));
  return { record, examples: { train: side('train'), heldOut: side('heldOut'), test: side('test') } };
}

/** Rows that ask and answer something, in the order of the file. */
export function listQuestions(examples: readonly Example[]): AnsweredQuestion[] {
  return examples.flatMap(example => toAnsweredQuestion(example) ?? []);
}

/** How the run's base model is opened again: where it was found, unless that is on another machine, or by its name. */
export function nameBaseModel({ id, path }: ModelReference): string {
  return id !== 'tiny' && isAbsolute(path) && !/^[\\/]{2}/.test(path) && existsSync(path) ? path : id;
}
