/** @file A stored weight -> the arrays of its graph inputs, in the form that the planner chose for it. */
import type { TensorSource } from '../formats/tensorSource.ts';
import { type ParameterTensor, readParameterTensor } from './parameterTensors.ts';
import { describeWeightInputs, type WeightForm } from './weightForm.ts';

/** What is fed for one graph input. */
export type WeightArray = { readonly name: string; readonly shape: readonly number[] } & {
  readonly type: 'float32';
  readonly data: Float32Array;
};

/** @throws TuneError as `readParameterTensor` */
export function readWeight(source: TensorSource, tensor: ParameterTensor, form: WeightForm): readonly WeightArray[] {
  switch (form.kind) {
    case 'float': {
      const [input] = describeWeightInputs(tensor, form);
      return [{ name: input!.name, shape: input!.shape, type: 'float32', data: readParameterTensor(source, tensor) }];
    }
  }
}
