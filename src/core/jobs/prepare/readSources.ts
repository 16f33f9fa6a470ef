/** @file The files of a request -> their rows, split together so that equal questions of two files stay on one side. */
import type { RunRequest } from '../../../shared/recipe.ts';
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
  return datasets.map(dataset => {
    const rows = whole.rows.slice(first, (first += dataset.examples.length));
    const counts = { train: 0, heldOut: 0, test: 0 };
    for (const side of rows) counts[side]++;
    const { seed, evalRatio, testRatio } = whole;
    const { groups } = datasets.length === 1 ? whole : splitExamples(dataset.examples, request.hyperparameters);
    return { dataset, split: { seed, evalRatio, testRatio, groups, rows, counts } };
  });
}
