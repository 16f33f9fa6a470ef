/** Loss, gradients and 20 losses as PyTorch + PEFT computed them once (test/parity/engine.test.ts writes the goldens). */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSafetensors } from '../../../../src/core/formats/safetensors.ts';
import { readModel } from '../../../../src/core/models/findArchitecture.ts';
import { openModel } from '../../../../src/core/models/openModel.ts';
import { AdamW } from '../../../../src/core/optim/adamW.ts';
import type { PackedBatch } from '../../../../src/core/text/packedBatch.ts';
import { createTrainingEngine, type EngineShape } from '../../../../src/core/train/createTrainingEngine.ts';
import { evaluateHeldOut } from '../../../../src/core/train/evaluateHeldOut.ts';
import { runStep } from '../../../../src/core/train/runStep.ts';
import type { Hyperparameters } from '../../../../src/shared/hyperparameters.ts';

const model = resolve(import.meta.dirname, '../../../fixtures/models/folder');

interface Bundle {
  recipe: Hyperparameters;
  steps: { learningRate: number; batches: Record<string, number | number[]>[] }[];
  heldOut: Record<string, number | number[]>[];
}

describe.each(['lora', 'full'])('a small Llama trained with method %s', golden => {
  const folder = join(import.meta.dirname, 'goldens', golden);
  const readJson = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), 'utf8'));

  it.each(['whole', 'layered'] as const)('has the losses and gradients of PyTorch with the %s engine', async shape => {
    const { recipe, steps, heldOut } = readJson('bundle.json') as Bundle;
    const expected = readJson('reference.json') as {
      losses: number[];
      baseHeldOutLoss: number;
      tunedHeldOutLoss: number;
    };
    const engine = await openEngine(recipe, shape, join(folder, 'initial.safetensors'));
    const gradients = openSafetensors(join(folder, 'reference.safetensors')).tensors;
    expect(await measure(engine, heldOut)).toBeCloseTo(expected.baseHeldOutLoss, 5);

    const optimizer = new AdamW(engine.parameters, { ...recipe, epsilon: 1e-8 });
    for (const [index, { learningRate, batches }] of steps.entries()) {
      const input = { step: index + 1, batches: batches.map(toBatch), learningRate, clipNorm: recipe.clipNorm };
      const { lossNats, gradNorm } = await runStep(engine, optimizer, {
        ...input,
        clues: { ...recipe, previousGradNorm: null },
      });
      expect(Math.abs(lossNats / expected.losses[index]! - 1), `loss of step ${index + 1}`).toBeLessThan(1e-3);
      if (index > 0) continue;
      for (const { name, gradient } of engine.parameters) {
        const reference = gradients.readFloat32(`gradient.${name}`);
        const difference = gradient.reduce((largest, g, i) => Math.max(largest, Math.abs(g - reference[i]!)), 0);
        expect(difference, name).toBeLessThan(1e-4 * gradNorm);
      }
    }
    expect(await measure(engine, heldOut)).toBeCloseTo(expected.tunedHeldOutLoss, 3);
    gradients.close();
    await engine.dispose();
  });
});

async function openEngine(recipe: Hyperparameters, shape: EngineShape, startValues: string) {
  const opened = await openModel(model, { tinyFolder: model });
  const settings = { ...recipe, threads: 1, memoryLimitBytes: undefined, shape };
  const engine = await createTrainingEngine({ ...settings, model: readModel(opened.config), weights: opened.weights });
  opened.close();
  const start = openSafetensors(startValues).tensors;
  for (const { name, value } of engine.parameters) value.set(start.readFloat32(name));
  start.close();
  return engine;
}

async function measure(engine: Parameters<typeof evaluateHeldOut>[0], batches: Bundle['heldOut']): Promise<number> {
  const progress = evaluateHeldOut(engine, batches.map(toBatch), () => false);
  for (;;) {
    const next = await progress.next();
    if (next.done) return next.value!.evalLossNats;
  }
}

function toBatch(json: Record<string, number | number[]>): PackedBatch {
  const { labelWeights, ...rest } = json;
  const integers = Object.entries(rest).map(([name, value]) => [
    name,
    typeof value === 'number' ? value : Int32Array.from(value),
  ]);
  return { ...Object.fromEntries(integers), labelWeights: Float32Array.from(labelWeights as number[]) } as PackedBatch;
}
