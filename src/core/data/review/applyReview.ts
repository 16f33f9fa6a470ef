/** @file A dataset as read and the review beside it -> the rows that a run takes, edited ones as edited, and which are accepted. */
import { existsSync } from 'node:fs';
import { TuneError } from '../../../shared/errors.ts';
import type { ReviewPolicy } from '../../../shared/review.ts';
import type { Example } from '../example.ts';
import { isPattern } from '../read/listDatasetFiles.ts';
import type { Dataset } from '../readDataset.ts';
import { readReview, reviewPath } from './reviewFile.ts';
import { ReviewStates, rowKey, toExample } from './reviewRows.ts';

export interface ReviewedDataset {
  readonly dataset: Dataset;
  /** Whether a run may train on the row. */
  readonly mayTrain: (example: Example) => boolean;
  /** For people; none where the review changes nothing. */
  readonly notes: readonly string[];
}

/** Rejected rows go before the split: a wrong answer is no measure either. @throws TuneError as readReview; `dataset-empty` */
export function applyReview(dataset: Dataset, policy: ReviewPolicy): ReviewedDataset {
  const isFitted = isPattern(dataset.file) && !existsSync(dataset.file);
  const lines = policy === 'ignore' || isFitted ? [] : readReview(reviewPath(dataset.file));
  if (lines.length === 0) {
    if (policy === 'accepted') throw nothingAccepted(dataset.file);
    return { dataset, mayTrain: () => true, notes: [] };
  }
  const states = new ReviewStates(lines);
  const accepted = new Set<Example>();
  let rejected = 0;
  let edited = 0;
  const examples = dataset.examples.flatMap((example): Example[] => {
    const { decision, line } = states.find(rowKey(example));
    if (decision === 'reject') {
      rejected++;
      return [];
    }
    const isEdited = line?.edited !== undefined;
    const taken = isEdited ? { ...toExample(line.edited!, example.origin), synthetic: example.synthetic } : example;
    edited += Number(isEdited);
    if (decision !== null) accepted.add(taken);
    return [taken];
  });
  if (examples.length === 0 || (policy === 'accepted' && accepted.size === 0)) throw nothingAccepted(dataset.file);
  return {
    dataset: { ...dataset, examples },
    mayTrain: example => policy !== 'accepted' || accepted.has(example),
    notes:
      rejected + edited === 0
        ? []
        : [`the review left out ${rejected} rejected rows and replaced ${edited} edited ones`],
  };
}

function nothingAccepted(file: string): TuneError {
  return new TuneError('dataset-empty', `${file}: expected rows that the review accepts, got none`, {
    file,
    hint: 'Accept rows with tuning-fork review, or train with reviewedRows=notRejected.',
  });
}
