/** @file A model, where its weights are stored, and the base weights asked for -> the form of each frozen weight. */
import type { BaseWeights } from '../../shared/hyperparameters.ts';
import type { TensorSource } from '../formats/tensorSource.ts';
import type { Model } from '../models/findArchitecture.ts';
import type { WeightForms } from '../models/weightForm.ts';

/** Weights that the result does not name are float. */
export function planWeightForms(_model: Model, _source: TensorSource, baseWeights: BaseWeights | 'auto'): WeightForms {
  switch (baseWeights) {
    case 'auto':
    case 'float32':
      return new Map();
  }
}
