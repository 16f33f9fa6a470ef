/** @file Decides whether a dataset may be trained on as it was read. */
import { TuneError } from '../../shared/errors.ts';
import type { Dataset } from './readDataset.ts';

/**
 * Passes when there is something to train on and no row is broken, or `skipBrokenRows` is set.
 * @throws TuneError `dataset-empty` without any usable text, `dataset-invalid` for broken rows, each with file, line and remedy.
 */
export function requireTrainable(dataset: Dataset, { skipBrokenRows = false } = {}): void {
  const { file, examples, problems, brokenRows, rows } = dataset;
  const first = problems.find(problem => problem.severity === 'error');
  if (examples.length === 0) {
    const line = first?.line ?? 1;
    const isAnswerless = (dataset.countsByCode['assistant-missing'] ?? 0) > 0;
    const expected = isAnswerless ? 'at least one row with assistant text' : 'at least one row that can be read';
    throw new TuneError('dataset-empty', `${file}:${line}: expected ${expected}, got none in ${rows} rows`, {
      file,
      line,
      hint: first?.fix ?? 'Add rows with a question and an answer.',
    });
  }
  if (first !== undefined && brokenRows > 0 && !skipBrokenRows) {
    const others = brokenRows - 1;
    const more = others > 0 ? ` (and ${others} more broken ${others === 1 ? 'row' : 'rows'} of ${rows})` : '';
    throw new TuneError('dataset-invalid', `${first.message}${more}`, {
      file,
      line: first.line,
      hint: `${first.fix} Or train without the broken rows (--override brokenRows).`,
    });
  }
}
