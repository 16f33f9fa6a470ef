/** @file A recipe's model -> the same bytes again, or an error when they changed. */
import { existsSync } from 'node:fs';
import { TuneError } from '../../../shared/errors.ts';
import type { ModelReference } from '../../../shared/recipe.ts';
import type { OpenModel } from '../../models/openedModel.ts';
import { type OpenModelOptions, openModel } from '../../models/openModel.ts';

/** @throws TuneError `model-not-found` | `model-invalid` */
export async function reopenModel(reference: ModelReference, options: OpenModelOptions): Promise<OpenModel> {
  const model = await openModel(existsSync(reference.path) ? reference.path : reference.id, options);
  const sha256 = model.computeSha256();
  if (sha256 === reference.sha256) return model;
  model.close();
  throw new TuneError(
    'model-invalid',
    `${model.path}: expected the model with sha256 ${reference.sha256}, got ${sha256}`,
    {
      file: model.path,
      hint: 'The model file changed since the run began: put the old one back, or start a new run.',
    },
  );
}
