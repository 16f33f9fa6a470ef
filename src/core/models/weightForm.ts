/**
 * @file How a weight lies in memory, and the graph inputs that it becomes: the border between the planner, which decides
 * it, the loader, which reads weights into it, and the graphs, which compute with it. A new form is a member here, its
 * inputs below, its arrays in `readWeight.ts` and its product in `frozenWeights.ts`.
 */
import type { BlockForm } from '../formats/weightBlocks.ts';
import type { DataType } from '../graph/graph.ts';

/** One float tensor, as the architecture describes it. Norms and biases have no other form. */
export interface FloatForm {
  readonly kind: 'float';
}

/** Quantized blocks, as a GGUF file has them; floats exist only inside a graph, while something reads them. */
export interface BlocksForm extends BlockForm {
  readonly kind: 'blocks';
}

export type StepType = 'int8' | 'uint8';

/** 8-bit steps with a scale for each output channel, multiplied as integers. Linear layers alone. */
export interface IntegerForm {
  readonly kind: 'integer';
  /** In how many 8-bit terms x is given to the product. */
  readonly terms: 1 | 2;
  /** uint8 has 128 for zero. */
  readonly stepType: StepType;
}

export type WeightForm = FloatForm | BlocksForm | IntegerForm;

/** By parameter name; a parameter that is not named is float. */
export type WeightForms = ReadonlyMap<string, WeightForm>;

/**
 * A model as evaluation and answers compute it: x of integer products in two terms, so that what is measured is the
 * weights' own rounding and not that of a training step. They read the same arrays.
 */
export function withEvaluationForms<Weighed extends { readonly weightForms?: WeightForms | undefined }>(
  model: Weighed,
): Weighed {
  const { weightForms } = model;
  if (!evaluatesFiner(weightForms)) return model;
  const finer = [...weightForms!].map(([name, form]): [string, WeightForm] => [
    name,
    form.kind === 'integer' ? { ...form, terms: 2 } : form,
  ]);
  return { ...model, weightForms: new Map(finer) };
}

/** Whether evaluation computes with other forms than training. */
export function evaluatesFiner(forms: WeightForms | undefined): boolean {
  return [...(forms?.values() ?? [])].some(form => form.kind === 'integer' && form.terms === 1);
}

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
    case 'blocks': {
      const { bits, blockElements, scaleType, hasMinimum } = form;
      const [out, inner] = tensor.shape as [number, number];
      const blocks = [out, inner / blockElements] as const;
      const scales = { type: scaleType, shape: blocks };
      return [
        {
          name: `${tensor.name}:codes`,
          type: bits === 4 ? 'uint8' : 'int8',
          shape: [...blocks, (blockElements * bits) / 8],
        },
        { name: `${tensor.name}:scales`, ...scales },
        ...(hasMinimum ? [{ name: `${tensor.name}:minimums`, ...scales }] : []),
      ];
    }
    case 'integer':
      return [
        { name: `${tensor.name}:steps`, type: form.stepType, shape: tensor.shape },
        { name: `${tensor.name}:scales`, type: 'float', shape: tensor.shape.slice(0, 1) },
      ];
  }
}

const elementBytes = {
  float: 4,
  float32: 4,
  float64: 8,
  float16: 2,
  uint8: 1,
  int8: 1,
  int32: 4,
  int64: 8,
  bool: 1,
} as const satisfies Record<WeightInput['type'], number>;

/** What a tensor in its form takes in memory. */
export function countWeightBytes(tensor: NamedTensor, form: WeightForm): number {
  return describeWeightInputs(tensor, form).reduce(
    (total, { shape, type }) => total + shape.reduce((product, dim) => product * dim, elementBytes[type]),
    0,
  );
}
