/** Engines over the tiny model of random weights, and what is compared of them. */
import type { PackedBatch } from '../../../../src/core/text/packedBatch.ts';
import { createTrainingEngine, type TrainingEngineSettings } from '../../../../src/core/train/createTrainingEngine.ts';
import type { RandomDraw } from '../../../../src/core/train/dropoutMasks.ts';
import type { TrainingEngine } from '../../../../src/core/train/trainingEngine.ts';
import { seededNumbers } from '../graph/seededNumbers.ts';
import { makeTinyModel, makeTinyWeights } from '../models/tinyModel.ts';

export const tinyContextTokens = 12;
export const allLinears = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'];

/** LoRA of rank 4 on every linear layer unless said otherwise; B is not zero, so that A has a gradient. */
export async function openTinyEngine(
  changes: Partial<TrainingEngineSettings> = {},
  config: Readonly<Record<string, unknown>> = {},
): Promise<TrainingEngine> {
  const model = makeTinyModel(config);
  const engine = await createTrainingEngine({
    model,
    weights: makeTinyWeights(model),
    method: 'lora',
    targetModules: allLinears,
    rank: 4,
    alpha: 8,
    seed: 7,
    batchRows: 2,
    contextTokens: tinyContextTokens,
    threads: 1,
    ...changes,
  });
  for (const [index, { name, value }] of engine.parameters.entries()) {
    if (name.includes('lora_B') || name.endsWith('lora_E'))
      value.set(seededNumbers(index + 1, value.length, -0.1, 0.1));
  }
  return engine;
}

export async function gradientsOf(
  engine: TrainingEngine,
  batches: readonly PackedBatch[],
  tokenWeight: number,
  draw?: RandomDraw,
): Promise<{ lossNatsSum: number; gradients: Float32Array[] }> {
  engine.zeroGradients();
  let lossNatsSum = 0;
  for (const batch of batches) lossNatsSum += (await engine.accumulate(batch, tokenWeight, draw)).lossNatsSum;
  return { lossNatsSum, gradients: engine.parameters.map(({ gradient }) => gradient.slice()) };
}

/** The largest difference between two lists of gradients, relative to the largest gradient. */
export function relativeDifference(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  let difference = 0;
  let largest = 0;
  for (const [index, gradient] of a.entries()) {
    for (const [i, x] of gradient.entries()) {
      difference = Math.max(difference, Math.abs(x - b[index]![i]!));
      largest = Math.max(largest, Math.abs(x));
    }
  }
  return difference / largest;
}
