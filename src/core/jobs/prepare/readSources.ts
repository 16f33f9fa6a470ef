/** @file The files of a request -> their rows, split together so that equal questions of two files stay on one side. */
import { basename } from 'node:path';
import type { CleaningRecipe } from '../../../shared/cleaning.ts';
import { TuneError } from '../../../shared/errors.ts';
import type { RunRequest } from '../../../shared/recipe.ts';
import type { SplitName } from '../../../shared/runFolder.ts';
import { groupNearRows } from '../../data/check/checkExamples.ts';
import { cleanExamples } from '../../data/clean/cleanExamples.ts';
import type { Example } from '../../data/example.ts';
import { questionKey } from '../../data/normalizeQuestion.ts';
import { type Dataset, readDataset } from '../../data/readDataset.ts';
import { requireTrainable } from '../../data/requireTrainable.ts';
import { applyReview, type ReviewedDataset } from '../../data/review/applyReview.ts';
import type { Split, SplitOptions } from '../../data/split/splitExamples.ts';
import { findUnfit, splitMarked } from '../../data/split/splitMarked.ts';
import { splitSince } from '../../data/split/splitSince.ts';
import { readEarlier } from './readEarlier.ts';

export interface ReadSource {
  readonly dataset: Dataset;
  readonly split: Split;
  /** For people: which rows were left out, and why. */
  readonly notes: readonly string[];
}

/** @throws TuneError `dataset-unreadable` | `dataset-empty` | `dataset-invalid`; AbortError when cancelled */
export async function readSources(
  request: RunRequest,
  signal: AbortSignal | undefined,
  onProgress: (done: number, total: number) => void,
): Promise<ReadSource[]> {
  const reviewed: ReviewedDataset[] = [];
  for (const { path, mapping, encoding } of request.datasets) {
    const dataset = await readDataset(path, { mapping, encoding, signal, onProgress });
    requireTrainable(dataset, { skipBrokenRows: request.overrides.includes('brokenRows') });
    reviewed.push(applyReview(dataset, request.hyperparameters.reviewedRows));
  }
  const datasets = reviewed.map(({ dataset }) => dataset);
  const whole = await splitAll(reviewed, request, signal);
  let first = 0;
  const sources = datasets.map((dataset): ReadSource => {
    const rows = whole.rows.slice(first, (first += dataset.examples.length));
    return takeSides(dataset, rows, whole, first === rows.length ? whole.notes : []);
  });
  const keptAside = sources.flatMap(({ dataset, split }) =>
    dataset.examples.filter((_, row) => split.rows[row] !== 'train'),
  );
  return Promise.all(sources.map((source, i) => cleanSource(source, request.datasets[i]!.cleaning, keptAside, signal)));
}

/** The side of each row of all files; null for those that the run leaves out. */
interface WholeSplit extends SplitOptions {
  readonly rows: readonly (SplitName | null)[];
  readonly notes: readonly string[];
}

async function splitAll(
  reviewed: readonly ReviewedDataset[],
  request: RunRequest,
  signal: AbortSignal | undefined,
): Promise<WholeSplit> {
  const { hyperparameters, since } = request;
  const { seed, evalRatio, testRatio, maxSyntheticShare } = hyperparameters;
  const examples = reviewed.flatMap(({ dataset }) => dataset.examples);
  const notes = reviewed.flatMap(one => one.notes);
  const sides: (SplitName | null)[] = [];
  if (since === undefined) {
    const near = hyperparameters.splitBy === 'nearDuplicates' ? await groupNearRows(examples, { signal }) : undefined;
    sides.push(...splitMarked(examples, hyperparameters, near).rows);
  } else {
    const split = splitSince(examples, await readEarlier(since), hyperparameters);
    if (split.newRows === 0) throw nothingNew(reviewed[0]!.dataset.file, since);
    sides.push(...split.rows);
    notes.push(
      `${count(split.newRows, 'row')} that ${basename(since)} was not trained on, ${split.replayedRows} of its rows replayed beside them`,
    );
  }
  dropUnaccepted(reviewed, sides);
  const taken = sides.flatMap((side, row) => (side === null ? [] : [row]));
  const unfit = findUnfit(
    taken.map(row => examples[row]!),
    { rows: taken.map(row => sides[row]!) },
    maxSyntheticShare,
  );
  for (const i of unfit.rows) sides[taken[i]!] = null;
  if (unfit.leaked > 0) notes.push(`${count(unfit.leaked, 'synthetic row')} left out: made from held-out questions`);
  if (unfit.surplus > 0) {
    notes.push(
      `${count(unfit.surplus, 'synthetic row')} left out: at most ${100 * maxSyntheticShare} % of the training rows may be synthetic (maxSyntheticShare)`,
    );
  }
  return { seed, evalRatio, testRatio, rows: sides, notes };
}

/** Training rows that the review does not let a run train on; those that are only measured on stay. */
function dropUnaccepted(reviewed: readonly ReviewedDataset[], sides: (SplitName | null)[]): void {
  let row = 0;
  for (const { dataset, mayTrain } of reviewed) {
    for (const example of dataset.examples) {
      if (sides[row] === 'train' && !mayTrain(example)) sides[row] = null;
      row++;
    }
  }
  if (sides.includes('train')) return;
  const { file } = reviewed[0]!.dataset;
  throw new TuneError('dataset-empty', `${file}: expected accepted rows to train on, got only held-out ones`, {
    file,
    hint: 'Accept more rows with tuning-fork review, or lower evalRatio.',
  });
}

const count = (rows: number, what: string): string => `${rows} ${what}${rows === 1 ? '' : 's'}`;

function nothingNew(file: string, since: string): TuneError {
  return new TuneError('dataset-empty', `${file}: expected rows that ${since} was not trained on, got none`, {
    file,
    hint: 'Add rows to the dataset, or train on all of them again.',
  });
}

function takeSides(
  dataset: Dataset,
  rows: readonly (SplitName | null)[],
  { seed, evalRatio, testRatio }: SplitOptions,
  notes: readonly string[],
): ReadSource {
  const examples = dataset.examples.filter((_, row) => rows[row] !== null);
  const sides = rows.filter(side => side !== null);
  const counts = { train: 0, heldOut: 0, test: 0 };
  for (const side of sides) counts[side]++;
  const groups = new Set(examples.map(questionKey)).size;
  return {
    dataset: { ...dataset, examples },
    split: { seed, evalRatio, testRatio, groups, rows: sides, counts },
    notes,
  };
}

/** Cleans the training rows alone: what is measured on must not depend on how they were cleaned. */
async function cleanSource(
  source: ReadSource,
  recipe: CleaningRecipe | undefined,
  heldOut: readonly Example[],
  signal: AbortSignal | undefined,
): Promise<ReadSource> {
  const { dataset, split } = source;
  if (recipe === undefined || recipe.steps.length === 0) return source;
  const training = dataset.examples.flatMap((_, row) => (split.rows[row] === 'train' ? [row] : []));
  const cleaned = await cleanExamples(
    training.map(row => dataset.examples[row]!),
    recipe,
    { heldOut, signal },
  );
  if (cleaned.examples.length === 0) {
    const what = `expected training rows after cleaning, got none of ${training.length}`;
    throw new TuneError('dataset-empty', `${dataset.file}: ${what}`, {
      file: dataset.file,
      hint: `Look at what each step removes: tuning-fork clean "${dataset.file}"`,
    });
  }
  const kept = new Map(cleaned.rows.map((row, i) => [training[row]!, cleaned.examples[i]!]));
  const left = dataset.examples.flatMap((example, row) => {
    const side = split.rows[row]!;
    const now = side === 'train' ? kept.get(row) : example;
    return now === undefined ? [] : [{ example: now, side }];
  });
  const removed = dataset.examples.length - left.length;
  return {
    notes: removed === 0 ? source.notes : [...source.notes, `cleaning removed ${count(removed, 'training row')}`],
    dataset: { ...dataset, examples: left.map(({ example }) => example) },
    split: {
      ...split,
      rows: left.map(({ side }) => side),
      counts: { ...split.counts, train: cleaned.examples.length },
      groups: new Set(left.map(({ example }) => questionKey(example))).size,
    },
  };
}
