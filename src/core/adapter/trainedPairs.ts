/** @file Trained parameters -> the pairs of matrices that they are, as an adapter folder would give them. */
import type { Hyperparameters } from '../../shared/hyperparameters.ts';
import { loraParameterNames, magnitudeName } from '../models/loraNames.ts';
import { loraScale } from '../train/loraScale.ts';
import type { TrainableParameter } from '../train/trainingEngine.ts';
import { type LoraPair, moduleOfTensor } from './readAdapter.ts';

/** The pairs as they are now, without copying them: training goes on changing them. */
export function listTrainedPairs(
  parameters: readonly TrainableParameter[],
  settings: Pick<Hyperparameters, 'rank' | 'alpha' | 'rsLora'>,
): LoraPair[] {
  const byName = new Map(parameters.map(parameter => [parameter.name, parameter]));
  const modules = new Set(parameters.flatMap(({ name }) => moduleOfTensor(name) ?? []));
  return [...modules].map(module => {
    const names = loraParameterNames(module);
    const [a, b] = [byName.get(names.a)!, byName.get(names.b)!];
    return {
      module,
      rank: a.shape[0]!,
      scale: loraScale(settings),
      a: a.value,
      b: b.value,
      magnitude: byName.get(magnitudeName(module))?.value,
      inputSize: a.shape[1]!,
      outputSize: b.shape[0]!,
    };
  });
}
