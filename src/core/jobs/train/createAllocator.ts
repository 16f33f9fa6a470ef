/** @file A run's parameters and settings -> what gives AdaLoRA's ranks, if the run is one. */
import type { Hyperparameters } from '../../../shared/hyperparameters.ts';
import { moduleOfTensor } from '../../adapter/readAdapter.ts';
import { loraParameterNames, singularName } from '../../models/loraNames.ts';
import { RankAllocator } from '../../optim/rankAllocator.ts';
import { planRanks } from '../../optim/rankBudget.ts';
import type { TrainableParameter } from '../../train/trainingEngine.ts';

/** @throws TuneError `usage` when the run has no steps for it */
export function createAllocator(
  parameters: readonly TrainableParameter[],
  settings: Hyperparameters,
  totalSteps: number,
): RankAllocator | undefined {
  if (settings.method !== 'lora' || !settings.adaLora) return undefined;
  const { adaBeta1: beta1, adaBeta2: beta2, adaOrthogonality: orthogonality } = settings;
  const byName = new Map(parameters.map(parameter => [parameter.name, parameter]));
  const modules = [...new Set(parameters.flatMap(({ name }) => moduleOfTensor(name) ?? []))];
  const triplets = modules.map(module => {
    const names = loraParameterNames(module);
    return { a: byName.get(names.a)!, b: byName.get(names.b)!, e: byName.get(singularName(module))! };
  });
  return new RankAllocator(triplets, { ...planRanks(settings, totalSteps), beta1, beta2, orthogonality });
}
