/** @file Trained parameters -> the pairs of matrices that they are, as an adapter folder would give them. */
import type { Hyperparameters } from '../../shared/hyperparameters.ts';
import { loraParameterNames, magnitudeName, singularName } from '../models/loraNames.ts';
import { loraScale } from '../train/loraScale.ts';
import type { FrozenPair } from '../train/startValues.ts';
import type { TrainableParameter } from '../train/trainingEngine.ts';
import { type LoraPair, moduleOfTensor } from './readAdapter.ts';
import { stackPairs } from './stackAdapters.ts';

/**
 * The pairs as they are now, without copying them: training goes on changing them. AdaLoRA's are copied, with their
 * factors multiplied into A and without the ranks that these leave out.
 */
export function listTrainedPairs(
  parameters: readonly TrainableParameter[],
  settings: Pick<Hyperparameters, 'rank' | 'alpha' | 'rsLora' | 'adaLora'>,
): LoraPair[] {
  const byName = new Map(parameters.map(parameter => [parameter.name, parameter]));
  const modules = new Set(parameters.flatMap(({ name }) => moduleOfTensor(name) ?? []));
  return [...modules].flatMap(module => {
    const names = loraParameterNames(module);
    const [a, b] = [byName.get(names.a)!, byName.get(names.b)!];
    const pair = {
      module,
      rank: a.shape[0]!,
      scale: loraScale(settings),
      a: a.value,
      b: b.value,
      magnitude: byName.get(magnitudeName(module))?.value,
      inputSize: a.shape[1]!,
      outputSize: b.shape[0]!,
    };
    const factors = byName.get(singularName(module));
    return factors ? keepRanks(pair, factors.value) : [pair];
  });
}

/** The pair with each rank's factor in its row of A; ranks with factor 0 add nothing and are left out. */
function keepRanks(pair: LoraPair, factors: Float32Array): LoraPair[] {
  const { inputSize, outputSize, rank } = pair;
  const kept = [...factors.keys()].filter(r => factors[r] !== 0);
  if (kept.length === 0) return [];
  const a = new Float32Array(kept.length * inputSize);
  const b = new Float32Array(outputSize * kept.length);
  for (const [at, r] of kept.entries()) {
    for (let i = 0; i < inputSize; i++) a[at * inputSize + i] = factors[r]! * pair.a[r * inputSize + i]!;
    for (let row = 0; row < outputSize; row++) b[row * kept.length + at] = pair.b[row * rank + r]!;
  }
  return [{ ...pair, rank: kept.length, a, b }];
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
