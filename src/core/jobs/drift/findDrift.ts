/** @file A dataset that grew and the run that was trained on it before -> the report of how the new rows differ. */
import type { DriftReport } from '../../../shared/drift.ts';
import { TuneError } from '../../../shared/errors.ts';
import type { RunRecord } from '../../../shared/recipe.ts';
import { readDataset } from '../../data/readDataset.ts';
import { findEarlierSides } from '../../data/split/splitSince.ts';
import { embedTexts } from '../../infer/embed/embedTexts.ts';
import type { ModelPool } from '../../infer/modelPool.ts';
import { readRecord } from '../../runs/runFiles.ts';
import { listRuns } from '../../runs/runStore.ts';
import { viewRun } from '../../runs/runView.ts';
import { readEarlier } from '../prepare/readEarlier.ts';
import { nameBaseModel } from '../prepare/runQuestions.ts';
import { measureDrift } from './measureDrift.ts';
import { measureLossDrift } from './measureLossDrift.ts';

export interface FindDriftInput {
  /** Absolute. */
  readonly dataset: string;
  /** The run's folder. */
  readonly run: string;
  /** Opens weights in floats, for topics and losses; null measures neither. */
  readonly pool: ModelPool | null;
  readonly measuresTopics: boolean;
  readonly measuresLoss: boolean;
  readonly sampleRows: number;
  readonly permutations: number;
  readonly seed: number;
  readonly onProgress: (phase: string, done: number, total: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Null when no row is new. @throws TuneError `run-invalid`, as readDataset, as the measures; AbortError when cancelled */
export async function findDrift(input: FindDriftInput): Promise<DriftReport | null> {
  const { dataset: path, run, pool, signal, onProgress } = input;
  const record = readRecord(run);
  const reference = record?.datasets.find(dataset => dataset.path === path) ?? record?.datasets[0];
  if (record === undefined || reference === undefined) {
    throw new TuneError('run-invalid', `${run}: expected a run with a recipe (run.json), got one without`, {
      file: run,
    });
  }
  const earlier = await readEarlier(run);
  const { mapping, encoding } = reference;
  const { examples } = await readDataset(path, { mapping, encoding, signal });
  const sides = findEarlierSides(examples, earlier);
  const fresh = examples.filter((_, row) => sides[row] === undefined);
  if (fresh.length === 0) return null;
  const { train, heldOut, test } = earlier.examples;
  const model = pool !== null && input.measuresTopics ? nameBaseModel(record.model) : undefined;
  const measured = await measureDrift([...train, ...heldOut, ...test], fresh, {
    ...input,
    embed:
      model === undefined
        ? undefined
        : async texts => {
            const { resident } = await pool!.open(model, signal);
            return embedTexts(resident, texts, {
              signal,
              onProgress: (done, all) => onProgress('reading rows', done, all),
            });
          },
  });
  const loss =
    pool === null || !input.measuresLoss || heldOut.length === 0
      ? null
      : await measureLossDrift({
          ...input,
          pool,
          record,
          heldOut,
          fresh,
          onProgress: (done, total) => onProgress('measuring losses', done, total),
        });
  const shifted = [measured.length, measured.vocabulary, measured.topics].some(measure => measure?.isShifted === true);
  return { dataset: path, run, ...measured, loss, hasDrifted: shifted || (loss !== null && loss.low > 0) };
}

/** The last finished run on the dataset. @throws TuneError `run-invalid` */
export function findLastRun(store: string, dataset: string): { run: string; record: RunRecord; name: string } {
  for (const run of listRuns(store).toReversed()) {
    const { state, record, notes } = viewRun(run);
    if (record?.kind !== 'train' || !['finished', 'stopped'].includes(state)) continue;
    if (record.datasets.some(({ path }) => path === dataset)) return { run, record, name: notes.name };
  }
  throw new TuneError(
    'run-invalid',
    `${dataset}: expected a finished run that was trained on it in ${store}, got none`,
    {
      file: dataset,
      hint: 'Name a run with --run, or its folder with --runs.',
    },
  );
}
