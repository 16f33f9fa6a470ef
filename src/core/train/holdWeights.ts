/** @file A model, where its weights are stored, and the base weights asked for -> the model with the forms of its weights. */
import type { BaseWeights } from '../../shared/hyperparameters.ts';
import type { TensorSource } from '../formats/tensorSource.ts';
import { chooseTrainable, type TrainableSettings } from '../models/chooseTrainable.ts';
import type { Model } from '../models/findArchitecture.ts';
import { QuantizedTensors } from '../models/quantizedTensors.ts';
import type { StepType } from '../models/weightForm.ts';
import { listMatrices, planWeightForms } from './planWeightForms.ts';

export interface HeldWeights {
  readonly model: Model;
  /** Reads them in those forms; closes what it was given. */
  readonly weights: TensorSource;
}

/**
 * Nothing is read but the types of what is stored.
 * @param stepType see planWeightForms
 */
export function holdWeights(
  model: Model,
  stored: TensorSource,
  trainable: TrainableSettings,
  baseWeights: BaseWeights | 'auto',
  stepType?: StepType,
): HeldWeights {
  const wholeTables = new Set(chooseTrainable(model, trainable).whole.map(({ name }) => name));
  // What is trained is in floats, and a table one tensor, as the optimizer has it.
  const frozen = listMatrices(model).filter(({ name }) => !wholeTables.has(name));
  const weights = baseWeights === '4bit' ? new QuantizedTensors(stored, frozen) : stored;
  const weightForms = planWeightForms(frozen, weights, baseWeights, stepType);
  return { model: { ...model, weightForms, wholeTables }, weights };
}
