/** @file The adapter that answering is measured with. */
import type { Adapter } from '../../src/core/adapter/readAdapter.ts';
import { listLinear } from '../../src/core/infer/adapterInputs.ts';
import type { Model } from '../../src/core/models/findArchitecture.ts';
import { findTargets, moduleOf } from '../../src/core/models/loraNames.ts';
import { initializeLoraA } from '../../src/core/train/initializeLora.ts';
import type { BenchPlan } from './benchPlan.ts';

/** As at the start of training: B is zero, so that it costs what any adapter costs and the answer is the base's. */
export function makeBenchAdapter({ lora: { rank, alpha, targetModules } }: BenchPlan, model: Model): Adapter {
  const pairs = findTargets(listLinear(model), targetModules).map(weight => {
    const [outputSize, inputSize] = weight.shape as [number, number];
    const a = initializeLoraA(1, weight.name, rank, inputSize);
    const b = new Float32Array(outputSize * rank);
    return { module: moduleOf(weight), rank, scale: alpha / rank, a, b, inputSize, outputSize };
  });
  return { path: 'bench', baseModel: null, pairs, saved: [], coversAllLayers: true };
}
