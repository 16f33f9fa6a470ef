/** @file A model's rotary tables as tensors to feed. */
import type { Model } from '../models/findArchitecture.ts';
import { listRopeTables } from '../models/ropeInputs.ts';
import { makeTensor, type RuntimeTensor } from '../runtime/tensor.ts';

export function makeRopeFeeds({ config }: Model, positions: number): Record<string, RuntimeTensor> {
  return Object.fromEntries(
    listRopeTables(config, positions).map(({ name, data, shape }) => [name, makeTensor('float32', data, shape)]),
  );
}
