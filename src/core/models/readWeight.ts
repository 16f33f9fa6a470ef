/** @file A stored weight -> the arrays of its graph inputs, in the form that the planner chose for it. */
import type { TensorSource } from '../formats/tensorSource.ts';
import { unpackBlocks, type WeightBlocks } from '../formats/weightBlocks.ts';
import { zeroPoint } from '../graph/operations/integerLinear.ts';
import { roundToSteps } from '../nn/roundToSteps.ts';
import { checkStoredShape, type ParameterTensor, readParameterTensor } from './parameterTensors.ts';
import { type BlocksForm, describeWeightInputs, type WeightForm } from './weightForm.ts';

/** What is fed for one graph input; float16 as bits. */
export type WeightArray = { readonly name: string; readonly shape: readonly number[] } & (
  | { readonly type: 'float32'; readonly data: Float32Array }
  | { readonly type: 'float16'; readonly data: Uint16Array }
  | { readonly type: 'uint8'; readonly data: Uint8Array }
  | { readonly type: 'int8'; readonly data: Int8Array }
);

/** @throws TuneError as `readParameterTensor` */
export function readWeight(source: TensorSource, tensor: ParameterTensor, form: WeightForm): readonly WeightArray[] {
  switch (form.kind) {
    case 'float': {
      const [input] = describeWeightInputs(tensor, form);
      return [{ name: input!.name, shape: input!.shape, type: 'float32', data: readParameterTensor(source, tensor) }];
    }
    case 'blocks': {
      checkStoredShape(source, tensor);
      const { name } = tensor.shard?.of ?? tensor;
      const rows = tensor.shard && { first: tensor.shard.firstRow, count: tensor.shape[0]! };
      return toBlockArrays(unpackBlocks(source.info(name).dtype, source.readBytes(name, rows)), tensor, form);
    }
    case 'integer': {
      const [first, second] = describeWeightInputs(tensor, form);
      const { steps, scales } = roundToSteps(readParameterTensor(source, tensor), tensor.shape[0]!);
      const [whole, each] = [
        { name: first!.name, shape: first!.shape },
        { name: second!.name, shape: second!.shape, type: 'float32', data: scales } as const,
      ];
      return form.stepType === 'int8'
        ? [{ ...whole, type: 'int8', data: steps }, each]
        : [{ ...whole, type: 'uint8', data: Uint8Array.from(steps, step => step + zeroPoint) }, each];
    }
  }
}

/** The arrays of a weight in blocks, put together again. */
export function toWeightBlocks(arrays: readonly WeightArray[], form: BlocksForm): WeightBlocks {
  const [codes, scales, minimums] = arrays.map(({ data }) => data);
  return { form, codes, scales, minimums } as WeightBlocks;
}

function toBlockArrays(
  { codes, scales, minimums }: WeightBlocks,
  tensor: ParameterTensor,
  form: BlocksForm,
): WeightArray[] {
  const arrays = [codes, scales, ...(minimums ? [minimums] : [])];
  return describeWeightInputs(tensor, form).map(({ name, shape }, index) => {
    const data = arrays[index]!;
    if (data instanceof Uint8Array) return { name, shape, type: 'uint8', data };
    if (data instanceof Int8Array) return { name, shape, type: 'int8', data };
    if (data instanceof Uint16Array) return { name, shape, type: 'float16', data };
    return { name, shape, type: 'float32', data };
  });
}
