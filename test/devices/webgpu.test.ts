/** The engine on WebGPU beside the CPU: on Linux by SwiftShader, which needs no graphics card (`npm test -- devices`). */
import { describe, expect, it } from 'vitest';
import { AdamW } from '../../src/core/optim/adamW.ts';
import { listCarriedDevices, probeDevice } from '../../src/core/runtime/devices.ts';
import { checkDevice } from '../../src/core/train/checkDevice.ts';
import type { TrainingEngine } from '../../src/core/train/trainingEngine.ts';
import { linearLayers } from '../../src/shared/hyperparameters.ts';
import { makeTinyModel, makeTinyWeights } from '../unit/core/models/tinyModel.ts';
import { makeTinyBatch } from '../unit/core/train/tinyBatch.ts';
import { gradientsOf, openTinyEngine, relativeDifference, tinyContextTokens } from '../unit/core/train/tinyEngine.ts';

/** Of a gradient by the largest gradient, and of a loss by itself. */
const tolerance = { gradient: 1e-5, loss: 1e-5 };
const steps = 20;
const batch = makeTinyBatch(3, [{ segments: [5, 7] }, { segments: [9] }], tinyContextTokens);

async function trainSteps(engine: TrainingEngine): Promise<number[]> {
  const optimizer = new AdamW(engine.parameters, { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 });
  const losses: number[] = [];
  for (let step = 1; step <= steps; step++) {
    const { weightSum } = await engine.evaluate(batch);
    engine.zeroGradients();
    losses.push((await engine.accumulate(batch, 1 / weightSum)).lossNatsSum / weightSum);
    optimizer.update(step, 5e-3, 1);
  }
  return losses;
}

// Linux on arm64 has no provider of WebGPU.
describe.skipIf(!listCarriedDevices().includes('webgpu'))('training on WebGPU', () => {
  it('finds the device, which computes', async () => {
    expect(await probeDevice('webgpu')).toEqual({ ok: true });
  });

  it('gives the gradients and 20 losses of the CPU, LoRA in one graph', async () => {
    const cpu = await openTinyEngine({ shape: 'whole' });
    const gpu = await openTinyEngine({ shape: 'whole', device: 'webgpu' });
    const a = await gradientsOf(cpu, [batch], 1);
    const b = await gradientsOf(gpu, [batch], 1);
    const gradient = relativeDifference(a.gradients, b.gradients);
    const [onCpu, onGpu] = [await trainSteps(cpu), await trainSteps(gpu)];
    const loss = Math.max(...onCpu.map((value, step) => Math.abs(onGpu[step]! - value) / value));
    console.log(`WebGPU, LoRA, whole: largest differences: gradients ${gradient}, ${steps} losses ${loss}`);
    expect(onCpu.at(-1)!).toBeLessThan(0.8 * onCpu[0]!);
    expect(gradient).toBeLessThan(tolerance.gradient);
    expect(loss).toBeLessThan(tolerance.loss);
    await Promise.all([cpu.dispose(), gpu.dispose()]);
  });

  it('passes the check before a run', async () => {
    const model = makeTinyModel();
    const check = await checkDevice(
      {
        model,
        weights: makeTinyWeights(model),
        method: 'lora',
        targetModules: linearLayers,
        rank: 8,
        alpha: 16,
        seed: 7,
        batchRows: 1,
        contextTokens: 64,
        threads: 1,
        shape: 'whole',
      },
      'webgpu',
    );
    console.log('WebGPU, check before a run:', check);
    expect(check).toMatchObject({ ok: true });
  });

  it('checks half precision before a run: it agrees, or the operation that the adapter lacks is named', async () => {
    const model = makeTinyModel();
    const settings = { model, weights: makeTinyWeights(model), method: 'lora', targetModules: linearLayers } as const;
    const check = await checkDevice(
      { ...settings, rank: 8, alpha: 16, seed: 7, batchRows: 1, contextTokens: 64, threads: 1, halfPrecision: true },
      'webgpu',
    );
    console.log('WebGPU, check of half precision:', check);
    expect(check).toMatchObject(check.ok ? { ok: true } : { ok: false, operation: expect.any(String) });
  });

  it('gives the gradients of the CPU, all weights, layer by layer', async () => {
    const cpu = await openTinyEngine({ shape: 'layered', method: 'full' });
    const gpu = await openTinyEngine({ shape: 'layered', method: 'full', device: 'webgpu' });
    const a = await gradientsOf(cpu, [batch], 1);
    const b = await gradientsOf(gpu, [batch], 1);
    const gradient = relativeDifference(a.gradients, b.gradients);
    console.log(`WebGPU, all weights, layered: largest difference of gradients ${gradient}`);
    expect(gradient).toBeLessThan(tolerance.gradient);
    expect(b.lossNatsSum / a.lossNatsSum).toBeCloseTo(1, 5);
    await Promise.all([cpu.dispose(), gpu.dispose()]);
  });
});
