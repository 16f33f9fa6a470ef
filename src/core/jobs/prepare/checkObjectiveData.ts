/** @file What is to be learned and the rows at hand -> an error when the one cannot be learned from the other. */
import { TuneError } from '../../../shared/errors.ts';
import type { Hyperparameters } from '../../../shared/hyperparameters.ts';
import { describeMapping } from '../../data/mapping/mapping.ts';
import type { ReadSource } from './readSources.ts';

/** @throws TuneError `dataset-invalid` naming the first row and the setting that would fit */
export function checkObjectiveData(
  sources: readonly ReadSource[],
  { objective }: Pick<Hyperparameters, 'objective'>,
): void {
  const wantsPairs = objective === 'dpo';
  for (const { dataset } of sources) {
    const { mapping } = dataset.mapping;
    if ((mapping.kind === 'preference') === wantsPairs) continue;
    const { file, line } = dataset.examples[0]!.origin;
    const [expected, hint] = wantsPairs
      ? [
          'rows with prompt, chosen and rejected',
          'Preference tuning needs a chosen and a rejected answer in each row: map them with preference:chosen=...,rejected=..., or set objective=sft.',
        ]
      : [
          'rows with one answer each',
          'These are preferences: set objective=dpo to learn them, or map the chosen answer alone with promptCompletion:prompt=...,completion=...',
        ];
    const message = `${file}:${line}: expected ${expected} for the objective ${objective}, got ${describeMapping(mapping)}`;
    throw new TuneError('dataset-invalid', message, { file, line, hint });
  }
}
