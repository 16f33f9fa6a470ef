import { describe, expect, it, vi } from 'vitest';
import { AdamW } from '../../../../src/core/optim/adamW.ts';
import { loadOnnxRuntime } from '../../../../src/core/runtime/onnxRuntime.ts';
import type { PackedBatch } from '../../../../src/core/text/packedBatch.ts';
import { createTrainingEngine } from '../../../../src/core/train/createTrainingEngine.ts';
import { makeTinyModel, makeTinyWeights } from '../models/tinyModel.ts';
import { makeTinyBatch, unpack } from './tinyBatch.ts';
import { gradientsOf, openTinyEngine, relativeDifference, tinyContextTokens } from './tinyEngine.ts';

const shapes = ['whole', 'layered'] as const;
const methods = ['lora', 'full'] as const;

const batch = makeTinyBatch(3, [{ segments: [5, 7] }, { segments: [9] }], tinyContextTokens);

for (const method of methods) {
  describe(`training engines, ${method}`, () => {
    for (const shape of shapes) {
      it(`${shape}: k batches of one row give the gradients of one batch of k rows`, async () => {
        const one = await openTinyEngine({ method, shape });
        const rows = [0, 1].map(row => takeRow(batch, row));
        const single = await openTinyEngine({ method, shape, batchRows: 1 });
        const together = await gradientsOf(one, [batch], 0.25);
        const apart = await gradientsOf(single, rows, 0.25);
        expect(apart.lossNatsSum / together.lossNatsSum).toBeCloseTo(1, 5);
        expect(relativeDifference(together.gradients, apart.gradients)).toBeLessThan(1e-5);
        await Promise.all([one.dispose(), single.dispose()]);
      });

      it(`${shape}: packed rows give the loss and gradients of padded rows`, async () => {
        const padded = unpack(batch);
        const packedEngine = await openTinyEngine({ method, shape });
        const paddedEngine = await openTinyEngine({ method, shape, batchRows: padded.batchRows });
        const a = await gradientsOf(packedEngine, [batch], 1);
        const b = await gradientsOf(paddedEngine, [padded], 1);
        expect(b.lossNatsSum / a.lossNatsSum).toBeCloseTo(1, 5);
        expect(relativeDifference(a.gradients, b.gradients)).toBeLessThan(1e-5);
        await Promise.all([packedEngine.dispose(), paddedEngine.dispose()]);
      });

      it(`${shape}: evaluation gives the loss of training`, async () => {
        const engine = await openTinyEngine({ method, shape });
        const evaluated = await engine.evaluate(batch);
        const trained = await engine.accumulate(batch, 0.1);
        expect(evaluated.lossNatsSum).toBeCloseTo(trained.lossNatsSum, 4);
        expect(evaluated.weightSum).toBe(trained.weightSum);
        expect(evaluated.weightSum).toBe(batch.labelWeights.reduce((sum, weight) => sum + weight));
        await engine.dispose();
      });

      it(`${shape}: repeats bit for bit`, async () => {
        const runs = [];
        for (let run = 0; run < 2; run++) {
          const engine = await openTinyEngine({ method, shape, threads: 2 });
          runs.push(await gradientsOf(engine, [batch, batch], 0.5));
          await engine.dispose();
        }
        expect(runs[1]).toEqual(runs[0]);
      });
    }

    it('both shapes give the same gradients', async () => {
      for (const config of [{}, { tie_word_embeddings: false, attention_bias: true, mlp_bias: true }]) {
        const whole = await openTinyEngine({ method, shape: 'whole' }, config);
        const layered = await openTinyEngine({ method, shape: 'layered' }, config);
        const a = await gradientsOf(whole, [batch], 1);
        const b = await gradientsOf(layered, [batch], 1);
        expect(b.lossNatsSum / a.lossNatsSum).toBeCloseTo(1, 5);
        expect(relativeDifference(a.gradients, b.gradients)).toBeLessThan(1e-5);
        expect(whole.parameters.map(({ name }) => name)).toEqual(layered.parameters.map(({ name }) => name));
        await Promise.all([whole.dispose(), layered.dispose()]);
      }
    });

    it('gives every trained tensor the gradient of central differences', async () => {
      const engine = await openTinyEngine(
        { method, shape: 'whole' },
        { tie_word_embeddings: false, attention_bias: true },
      );
      const { gradients } = await gradientsOf(engine, [batch], 1);
      for (const [index, { name, value }] of engine.parameters.entries()) {
        // In the direction of the gradient itself, where float32 has the most to say.
        const gradient = gradients[index]!;
        const norm = Math.sqrt(gradient.reduce((sum, x) => sum + x * x, 0));
        expect(norm, name).toBeGreaterThan(0);
        const original = value.slice();
        const step = 2e-3;
        const lossAt = async (distance: number): Promise<number> => {
          for (const [i, x] of original.entries()) value[i] = x + (distance * gradient[i]!) / norm;
          return (await engine.evaluate(batch)).lossNatsSum;
        };
        const slope = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
        value.set(original);
        expect(Math.abs(slope - norm) / norm, `${name}: slope ${slope}, norm ${norm}`).toBeLessThan(0.02);
      }
      await engine.dispose();
    });

    it('brings the loss near zero when it trains on one batch again and again', async () => {
      const engine = await openTinyEngine({ method, shape: 'layered' });
      const optimizer = new AdamW(engine.parameters, { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 });
      const { weightSum } = await engine.evaluate(batch);
      const losses: number[] = [];
      for (let step = 1; step <= 60; step++) {
        engine.zeroGradients();
        losses.push((await engine.accumulate(batch, 1 / weightSum)).lossNatsSum / weightSum);
        optimizer.update(step, 1e-2, 1);
      }
      expect(losses[0]).toBeGreaterThan(3);
      expect(losses.at(-1)).toBeLessThan(0.1);
      await engine.dispose();
    });
  });
}

describe('tables in shards', () => {
  for (const shape of shapes) {
    it(`${shape}: give the loss and gradients of whole tables`, async () => {
      for (const tie of [true, false]) {
        const model = makeTinyModel({ tie_word_embeddings: tie });
        const whole = await openTinyEngine({ shape, model, weights: makeTinyWeights(model) });
        const sharded = { ...model, maxTensorBytes: 25 * 4 * model.config.hiddenSize };
        const inShards = await openTinyEngine({ shape, model: sharded, weights: makeTinyWeights(model) });
        const a = await gradientsOf(whole, [batch], 1);
        const b = await gradientsOf(inShards, [batch], 1);
        expect(b.lossNatsSum / a.lossNatsSum).toBeCloseTo(1, 5);
        expect(relativeDifference(a.gradients, b.gradients)).toBeLessThan(1e-5);
        await Promise.all([whole.dispose(), inShards.dispose()]);
      }
    });
  }
});

describe('createTrainingEngine', () => {
  it.each(shapes)('%s: releases every session it made', async shape => {
    const { InferenceSession } = loadOnnxRuntime();
    const create = vi.spyOn(InferenceSession, 'create');
    const engine = await openTinyEngine({ shape });
    await engine.accumulate(batch, 1);
    await engine.evaluate(batch);
    const sessions = await Promise.all(create.mock.results.map(({ value }) => value));
    create.mockRestore();
    const releases = sessions.map(session => vi.spyOn(session, 'release'));
    await engine.dispose();
    expect(sessions.length).toBe(shape === 'whole' ? 2 : 4);
    for (const release of releases) expect(release).toHaveBeenCalledOnce();
  });

  it('names LoRA tensors as PEFT does and starts with B at zero', async () => {
    const model = makeTinyModel();
    const engine = await createTrainingEngine({
      model,
      weights: makeTinyWeights(model),
      method: 'lora',
      targetModules: ['q_proj'],
      rank: 4,
      alpha: 8,
      seed: 7,
      batchRows: 1,
      contextTokens: tinyContextTokens,
      threads: 1,
    });
    expect(engine.parameters.map(({ name }) => name)).toEqual(
      [0, 1].flatMap(layer =>
        ['A', 'B'].map(matrix => `base_model.model.model.layers.${layer}.self_attn.q_proj.lora_${matrix}.weight`),
      ),
    );
    const [a, b] = engine.parameters;
    expect(a!.shape).toEqual([4, 64]);
    expect(Math.max(...a!.value.map(Math.abs))).toBeLessThanOrEqual(1 / 8);
    expect(Math.max(...a!.value.map(Math.abs))).toBeGreaterThan(0.11);
    expect(b!.value.every(x => x === 0)).toBe(true);
    expect(engine.parameters[2]!.value).not.toEqual(a!.value);
    await engine.dispose();
  });

  it('refuses target modules that the model does not have', async () => {
    await expect(openTinyEngine({ targetModules: ['query'] })).rejects.toThrow(/expected some of q_proj.*got query/);
  });

  it('refuses weights that do not fit the config', async () => {
    const weights = makeTinyWeights(makeTinyModel({ intermediate_size: 32 }));
    await expect(openTinyEngine({ weights })).rejects.toMatchObject({ code: 'model-invalid' });
  });

  it('takes the layered engine when the whole graph does not fit the limit', async () => {
    const engine = await openTinyEngine({ memoryLimitBytes: 1 });
    expect(engine.constructor.name).toBe('LayeredEngine');
    await engine.dispose();
  });
});

function takeRow(from: PackedBatch, row: number): PackedBatch {
  const start = row * tinyContextTokens;
  const chosen = [...from.targetPositions.keys()].filter(
    i => Math.floor(from.targetPositions[i]! / tinyContextTokens) === row,
  );
  return {
    ...from,
    batchRows: 1,
    tokenIds: from.tokenIds.slice(start, start + tinyContextTokens),
    positions: from.positions.slice(start, start + tinyContextTokens),
    segments: from.segments.slice(start, start + tinyContextTokens),
    targetPositions: Int32Array.from(chosen, i => from.targetPositions[i]! - start),
    labels: Int32Array.from(chosen, i => from.labels[i]!),
    labelWeights: Float32Array.from(chosen, i => from.labelWeights[i]!),
  };
}
