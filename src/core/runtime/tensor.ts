/** @file Typed arrays with a shape, as sessions take and give them. Nothing is copied on the way in. */
import { loadOnnxRuntime, type OnnxRuntime } from './onnxRuntime.ts';

export type RuntimeTensor = OnnxRuntime.Tensor;

interface ArrayTypes {
  float32: Float32Array;
  float64: Float64Array;
  int32: Int32Array;
  int64: BigInt64Array;
  uint8: Uint8Array;
  int8: Int8Array;
  /** Its bits: Node 20 has no array of halves. */
  float16: Uint16Array;
}

/** A tensor over `data` itself: writing to the array changes what the next run reads. */
export function makeTensor<Type extends keyof ArrayTypes>(
  type: Type,
  data: ArrayTypes[Type],
  shape: readonly number[],
): RuntimeTensor {
  const { Tensor } = loadOnnxRuntime();
  return new Tensor(type as 'float32', data as Float32Array, shape);
}

/** The elements of a float32 tensor. */
export function floatData(tensor: RuntimeTensor): Float32Array {
  if (!(tensor.data instanceof Float32Array))
    throw new Error(`internal: expected a float32 tensor, got ${tensor.type}`);
  return tensor.data;
}
