/**
 * @file How a weight lies in memory, and the graph inputs that it becomes: the border between the planner, which decides
 * it, the loader, which reads weights into it, and the graphs, which compute with it. A new form is a member here, its
 * inputs below, its arrays in `readWeight.ts` and its product in `trainingContext.ts`.
 */
import type { DataType } from '../graph/graph.ts';

/** One float tensor, as the architecture describes it. Norms and biases have no other form. */
export interface FloatForm {
  readonly kind: 'float';
}

export type WeightForm = FloatForm;

/** By parameter name; a parameter that is not named is float. */
export type WeightForms = ReadonlyMap<string, WeightForm>;

/** One graph input that a weight becomes, named after it. */
export interface WeightInput {
  readonly name: string;
  readonly type: DataType | 'float';
  readonly shape: readonly number[];
}

/** A parameter, or a shard of one: see ParameterTensor. */
interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly shard?: { readonly of: { readonly name: string } } | undefined;
}

const floatForm: FloatForm = { kind: 'float' };

/** The form in which a tensor's parameter lies. */
export function formOf(model: { readonly weightForms?: WeightForms | undefined }, tensor: NamedTensor): WeightForm {
  return model.weightForms?.get((tensor.shard?.of ?? tensor).name) ?? floatForm;
}

/** The graph inputs of a tensor in its form, always in the same order. */
export function describeWeightInputs(tensor: NamedTensor, form: WeightForm): readonly WeightInput[] {
  switch (form.kind) {
    case 'float':
      return [{ name: tensor.name, type: 'float', shape: tensor.shape }];
  }
}
