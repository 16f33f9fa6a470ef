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
  /** Reads them in those forms. Where it is not what was given, closing it leaves that open. */
  readonly weights: TensorSource;
}

export interface HoldOptions {
  /** See planWeightForms. */
  readonly stepType?: StepType | undefined;
  /** Keeps what `4bit` rounds; absent: it is rounded anew whenever it is read. */
  readonly cacheRounded?: ((rounded: QuantizedTensors) => TensorSource) | undefined;
}

/** Nothing is read but the types of what is stored. */
export function holdWeights(
  model: Model,
  stored: TensorSource,
  trainable: TrainableSettings,
  baseWeights: BaseWeights | 'auto',
  { stepType, cacheRounded = rounded => rounded }: HoldOptions = {},
): HeldWeights {
  const wholeTables = new Set(chooseTrainable(model, trainable).whole.map(({ name }) => name));
  // What is trained is in floats, and a table one tensor, as the optimizer has it.
  const frozen = listMatrices(model).filter(({ name }) => !wholeTables.has(name));
  const weights = baseWeights === '4bit' ? cacheRounded(new QuantizedTensors(stored, frozen)) : stored;
  const weightForms = planWeightForms(frozen, weights, baseWeights, stepType);
  return { model: { ...model, weightForms, wholeTables }, weights };
}
