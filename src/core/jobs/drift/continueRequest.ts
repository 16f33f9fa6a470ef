/** @file A run whose dataset grew -> the request of a run that goes on from its adapter on the new rows and a replayed share of the old. */
import { basename } from 'node:path';
import type { RunRecord, RunRequest } from '../../../shared/recipe.ts';
import { findOutputs } from '../../infer/findOutput.ts';
import { nameBaseModel } from '../prepare/runQuestions.ts';

/**
 * A fully tuned model is gone on from as the base of the next. @param run its folder
 * @throws TuneError `adapter-invalid` when the run has nothing to go on from
 */
export function continueRequest(run: string, record: RunRecord, name: string): RunRequest {
  const output = findOutputs([run]);
  const { hyperparameters, datasets, overrides, teacher } = record;
  return {
    name: nameNext(name),
    model: output.kind === 'model' ? output.folder : nameBaseModel(record.model),
    ...(teacher === undefined ? {} : { teacher: nameBaseModel(teacher) }),
    datasets: datasets.map(({ path, mapping, mappingChosen, encoding, cleaning }) => ({
      path,
      mapping: mappingChosen ? mapping : null,
      ...(encoding && { encoding }),
      ...(cleaning && { cleaning }),
    })),
    hyperparameters,
    overrides,
    parents: [basename(run)],
    ...(output.kind === 'adapter' ? { startFrom: { mode: 'continue', adapters: [run] } } : {}),
    since: run,
  };
}

/** `rows`, `rows (2)`, `rows (3)` ... */
function nameNext(name: string): string {
  const [, base = name, number] = /^(.*?)(?: \((\d+)\))?$/s.exec(name) ?? [];
  const next = ` (${Number(number ?? 1) + 1})`;
  return `${base.slice(0, 120 - next.length)}${next}`;
}
