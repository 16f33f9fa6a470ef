/** @file Frozen weights, where they are stored, and the base weights asked for -> the form of each frozen weight. */
import type { BaseWeights } from '../../shared/hyperparameters.ts';
import type { TensorSource } from '../formats/tensorSource.ts';
import { findBlockForm } from '../formats/weightBlocks.ts';
import type { ParameterInfo } from '../models/architecture.ts';
import type { Model } from '../models/findArchitecture.ts';
import type { WeightForm, WeightForms } from '../models/weightForm.ts';

/**
 * The forms of frozen matrices; those that the result does not name are float.
 * @param source for `4bit` one that rounds what is stored in floats: see QuantizedTensors
 */
export function planWeightForms(
  frozen: readonly ParameterInfo[],
  source: TensorSource,
  baseWeights: BaseWeights | 'auto',
): WeightForms {
  switch (baseWeights) {
    case 'auto':
    case 'float32':
      return new Map();
    case '4bit':
      return new Map(
        frozen.flatMap(({ name }): [string, WeightForm][] => {
          const form = findBlockForm(source.info(name).dtype);
          return form ? [[name, { kind: 'blocks', ...form }]] : [];
        }),
      );
  }
}

/** What may lie in another form than floats: linear weights, the embedding and the head. */
export function listMatrices({ architecture, config }: Model): ParameterInfo[] {
  const { embedding, layers, head } = architecture.describeParameters(config);
  return [...new Set([embedding, ...layers.flat().filter(({ kind }) => kind === 'linear'), head])];
}
