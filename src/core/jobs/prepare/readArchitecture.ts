/** @file A model's configuration -> its architecture, with its files' tensors checked against it. */
import { TuneError } from '../../../shared/errors.ts';
import { findArchitecture, type Model } from '../../models/findArchitecture.ts';
import { nameFile } from '../../models/nameFile.ts';
import type { OpenModel } from '../../models/openedModel.ts';

export function readArchitecture(model: OpenModel): Model {
  return nameFile(model.path, () => {
    const architecture = findArchitecture(model.modelType);
    return { architecture, config: architecture.readConfig(model.config) };
  });
}

/** Reads what the files say of their tensors, so that a truncated or foreign file is found before anything is written. */
export function checkWeights({ weights, path }: OpenModel, { architecture, config }: Model): void {
  const { embedding, layers, finalNorm, head } = architecture.describeParameters(config);
  for (const { name, shape } of [embedding, ...layers.flat(), finalNorm, head]) {
    const stored = weights.info(name).shape;
    if (stored.join() === shape.join()) continue;
    throw new TuneError(
      'model-invalid',
      `${path}: expected ${name} of shape [${shape.join(', ')}], got [${stored.join(', ')}]`,
      {
        file: path,
        hint: 'config.json does not belong to these weights: download the model again.',
      },
    );
  }
}
