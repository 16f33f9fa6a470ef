/** @file The files of a request -> their rows, split together so that equal questions of two files stay on one side. */
import type { CleaningRecipe } from '../../../shared/cleaning.ts';
import { TuneError } from '../../../shared/errors.ts';
import type { RunRequest } from '../../../shared/recipe.ts';
import { cleanExamples } from '../../data/clean/cleanExamples.ts';
import type { Example } from '../../data/example.ts';
import { questionKey } from '../../data/normalizeQuestion.ts';
import { type Dataset, readDataset } from '../../data/readDataset.ts';
import { requireTrainable } from '../../data/requireTrainable.ts';
import { type Split, splitExamples } from '../../data/split/splitExamples.ts';

export interface ReadSource {
  readonly dataset: Dataset;
  readonly split: Split;
}

/** @throws TuneError `dataset-unreadable` | `dataset-empty` | `dataset-invalid`; AbortError when cancelled */
export async function readSources(
  request: RunRequest,
  signal: AbortSignal | undefined,
  onProgress: (done: number, total: number) => void,
): Promise<ReadSource[]> {
  const datasets: Dataset[] = [];
  for (const { path, mapping, encoding } of request.datasets) {
    const dataset = await readDataset(path, { mapping, encoding, signal, onProgress });
    requireTrainable(dataset, { skipBrokenRows: request.overrides.includes('brokenRows') });
    datasets.push(dataset);
  }
  const whole = splitExamples(
    datasets.flatMap(dataset => dataset.examples),
    request.hyperparameters,
  );
  let first = 0;
  const sources = datasets.map((dataset): ReadSource => {
    const rows = whole.rows.slice(first, (first += dataset.examples.length));
    const counts = { train: 0, heldOut: 0, test: 0 };
    for (const side of rows) counts[side]++;
    const { seed, evalRatio, testRatio } = whole;
    const { groups } = datasets.length === 1 ? whole : splitExamples(dataset.examples, request.hyperparameters);
    return { dataset, split: { seed, evalRatio, testRatio, groups, rows, counts } };
  });
  const keptAside = sources.flatMap(({ dataset, split }) =>
    dataset.examples.filter((_, row) => split.rows[row] !== 'train'),
  );
  return Promise.all(sources.map((source, i) => cleanSource(source, request.datasets[i]!.cleaning, keptAside, signal)));
}

/** Cleans the training rows alone: what is measured on must not depend on how they were cleaned. */
async function cleanSource(
  { dataset, split }: ReadSource,
  recipe: CleaningRecipe | undefined,
  heldOut: readonly Example[],
  signal: AbortSignal | undefined,
): Promise<ReadSource> {
  if (recipe === undefined || recipe.steps.length === 0) return { dataset, split };
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
  return {
    dataset: { ...dataset, examples: left.map(({ example }) => example) },
    split: {
      ...split,
      rows: left.map(({ side }) => side),
      counts: { ...split.counts, train: cleaned.examples.length },
      groups: new Set(left.map(({ example }) => questionKey(example))).size,
    },
  };
}
