/** @file A model's rotary tables as graph inputs. */
import type { Model } from '../models/findArchitecture.ts';
import { ropeInputNames } from '../models/ropeInputs.ts';
import { makeRopeTables } from '../nn/rope.ts';
import { makeTensor, type RuntimeTensor } from '../runtime/tensor.ts';

export function makeRopeFeeds({ config }: Model, positions: number): Record<string, RuntimeTensor> {
  const { cosines, sines, shape } = makeRopeTables(config.rope, config.headSize, positions);
  return {
    [ropeInputNames.cosines]: makeTensor('float32', cosines, shape),
    [ropeInputNames.sines]: makeTensor('float32', sines, shape),
  };
}
