/** @file Trained parameters -> the pairs of matrices that they are, as an adapter folder would give them. */
import type { Hyperparameters } from '../../shared/hyperparameters.ts';
import { loraParameterNames, magnitudeName } from '../models/loraNames.ts';
import { loraScale } from '../train/loraScale.ts';
import type { FrozenPair } from '../train/startValues.ts';
import type { TrainableParameter } from '../train/trainingEngine.ts';
import { type LoraPair, moduleOfTensor } from './readAdapter.ts';
import { stackPairs } from './stackAdapters.ts';

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

/** The trained pairs together with what stays beneath them; themselves where nothing does. */
export function combinePairs(trained: readonly LoraPair[], stacked: readonly FrozenPair[]): readonly LoraPair[] {
  if (stacked.length === 0) return trained;
  const beneath = stacked.map(pair => ({
    ...pair,
    scale: 1,
    inputSize: pair.a.length / pair.rank,
    outputSize: pair.b.length / pair.rank,
  }));
  return stackPairs([trained, beneath]);
}
