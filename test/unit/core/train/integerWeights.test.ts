/** Both engines on 8-bit weights, whose wide products are products of integers. */
import { describe, expect, it } from 'vitest';
import { AdamW } from '../../../../src/core/optim/adamW.ts';
import type { PackedBatch } from '../../../../src/core/text/packedBatch.ts';
import { createTrainingEngine, type TrainingEngineSettings } from '../../../../src/core/train/createTrainingEngine.ts';
import type { TrainingEngine } from '../../../../src/core/train/trainingEngine.ts';
import type { BaseWeights } from '../../../../src/shared/hyperparameters.ts';
import { seededNumbers } from '../graph/seededNumbers.ts';
import { makeTinyModel, makeTinyWeights } from '../models/tinyModel.ts';
import { makeTinyBatch } from './tinyBatch.ts';

const contextTokens = 12;
const shapes = ['whole', 'layered'] as const;
/** 8-bit steps are 1/127 of the largest element; a few layers of them leave about this between float and integer. */
const lossTolerance = 0.01;
const gradientTolerance = 0.1;
const batch = makeTinyBatch(3, [{ segments: [5, 7] }, { segments: [9] }], contextTokens);

async function openEngine(
  baseWeights: BaseWeights,
  changes: Partial<TrainingEngineSettings> = {},
): Promise<TrainingEngine> {
  const model = makeTinyModel({ attention_bias: true });
  const engine = await createTrainingEngine({
    model,
    weights: makeTinyWeights(model),
    method: 'lora',
    targetModules: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'down_proj'],
    rank: 4,
    alpha: 8,
    seed: 7,
    batchRows: 2,
    contextTokens,
    threads: 1,
    baseWeights,
    ...changes,
  });
  // B starts at zero, which would leave A without gradient: give it something.
  for (const [index, { name, value }] of engine.parameters.entries()) {
    if (name.includes('lora_B')) value.set(seededNumbers(index + 1, value.length, -0.1, 0.1));
  }
  return engine;
}

async function trainOnce(engine: TrainingEngine) {
  engine.zeroGradients();
  const { lossNatsSum } = await engine.accumulate(batch, 0.25);
  return { lossNatsSum, gradients: engine.parameters.map(({ gradient }) => gradient.slice()) };
}

/** A row of a batch as a batch of its own. */
function takeRow(from: PackedBatch, row: number): PackedBatch {
  const cut = (values: Int32Array): Int32Array => values.slice(row * contextTokens, (row + 1) * contextTokens);
  const own = [...from.targetPositions.keys()].filter(
    i => Math.floor(from.targetPositions[i]! / contextTokens) === row,
  );
  return {
    ...from,
    batchRows: 1,
    tokenIds: cut(from.tokenIds),
    positions: cut(from.positions),
    segments: cut(from.segments),
    targetPositions: Int32Array.from(own, i => from.targetPositions[i]! - row * contextTokens),
    labels: Int32Array.from(own, i => from.labels[i]!),
    labelWeights: Float32Array.from(own, i => from.labelWeights[i]!),
  };
}

/** |a - b| / |b| over all gradients together. */
function relativeDistance(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  let apart = 0;
  let size = 0;
  for (const [index, gradient] of a.entries()) {
    for (const [i, x] of gradient.entries()) {
      apart += (x - b[index]![i]!) ** 2;
      size += b[index]![i]! ** 2;
    }
  }
  return Math.sqrt(apart / size);
}

for (const shape of shapes) {
  describe(`8-bit base weights, ${shape}`, () => {
    it('gives nearly the loss and gradients of float32, and not the same', async () => {
      const [integer, float] = [await openEngine('8bit', { shape }), await openEngine('float32', { shape })];
      const [a, b] = [await trainOnce(integer), await trainOnce(float)];
      expect(a.lossNatsSum).not.toBe(b.lossNatsSum);
      expect(Math.abs(a.lossNatsSum / b.lossNatsSum - 1)).toBeLessThan(lossTolerance);
      expect(relativeDistance(a.gradients, b.gradients)).toBeLessThan(gradientTolerance);
      await Promise.all([integer.dispose(), float.dispose()]);
    });

    it('evaluates closer to float32 than a training step is', async () => {
      const [integer, float] = [await openEngine('8bit', { shape }), await openEngine('float32', { shape })];
      const goal = (await float.evaluate(batch)).lossNatsSum;
      const evaluated = Math.abs((await integer.evaluate(batch)).lossNatsSum - goal);
      expect(evaluated / goal).toBeLessThan(lossTolerance / 4);
      await Promise.all([integer.dispose(), float.dispose()]);
    });

    it('repeats bit for bit, and keeps floats of the last block and of narrow keys and values alone', async () => {
      const runs = [];
      for (let run = 0; run < 2; run++) {
        const engine = await openEngine('8bit', { shape, threads: 2 });
        const linear = Object.entries(engine.weights!).filter(
          ([name]) => name.includes('_proj.weight') && !name.endsWith(':scales'),
        );
        const inFloats = linear.filter(([, { type }]) => type === 'float32').map(([name]) => name);
        const rounded = linear.filter(([, { type }]) => /^u?int8$/.test(type)).map(([name]) => name);
        expect(inFloats.length + rounded.length).toBe(linear.length);
        expect(rounded.map(name => name.split('.').at(-2)!.split(':')[0])).toEqual(
          expect.arrayContaining(['q_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj']),
        );
        expect(rounded.every(name => name.includes('.layers.0.'))).toBe(true);
        expect(inFloats.filter(name => name.includes('.layers.0.')).every(name => /[kv]_proj/.test(name))).toBe(true);
        runs.push(await trainOnce(engine));
        await engine.dispose();
      }
      expect(runs[1]).toEqual(runs[0]);
    });
  });
}

describe('8-bit base weights', () => {
  it.each(shapes)('%s: give k accumulated steps of one row what one step of k rows gives', async shape => {
    const [together, alone] = [await openEngine('8bit', { shape }), await openEngine('8bit', { shape, batchRows: 1 })];
    const optimizer = new AdamW(together.parameters, { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 });
    const single = Array.from({ length: batch.batchRows }, (_, row) => takeRow(batch, row));
    for (let step = 1; step <= 3; step++) {
      const results = [];
      for (const [engine, batches] of [
        [together, [batch]],
        [alone, single],
      ] as const) {
        engine.zeroGradients();
        let lossNatsSum = 0;
        for (const rows of batches) lossNatsSum += (await engine.accumulate(rows, 0.25)).lossNatsSum;
        results.push({ lossNatsSum, gradients: engine.parameters.map(({ gradient }) => gradient.slice()) });
      }
      const [a, b] = results;
      expect(Math.abs(a!.lossNatsSum / b!.lossNatsSum - 1)).toBeLessThan(1e-5);
      expect(relativeDistance(a!.gradients, b!.gradients)).toBeLessThan(1e-5);
      optimizer.update(step, 1e-3, 1);
      // The same start for the next step, so that each is compared by itself.
      for (const [i, { value }] of alone.parameters.entries()) value.set(together.parameters[i]!.value);
    }
    await Promise.all([together.dispose(), alone.dispose()]);
  });

  it('give the same gradients in both shapes of the engine', async () => {
    const [whole, layered] = [
      await openEngine('8bit', { shape: 'whole' }),
      await openEngine('8bit', { shape: 'layered' }),
    ];
    const [a, b] = [await trainOnce(whole), await trainOnce(layered)];
    // The two round alike, but for elements that stand between two steps.
    expect(b.lossNatsSum / a.lossNatsSum).toBeCloseTo(1, 3);
    expect(relativeDistance(a.gradients, b.gradients)).toBeLessThan(gradientTolerance / 4);
    await Promise.all([whole.dispose(), layered.dispose()]);
  });

  it('bring the loss near zero when they train on one batch again and again', async () => {
    const engine = await openEngine('8bit', { shape: 'whole' });
    const optimizer = new AdamW(engine.parameters, { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 });
    const { weightSum } = await engine.evaluate(batch);
    let loss = Infinity;
    for (let step = 1; step <= 60; step++) {
      engine.zeroGradients();
      loss = (await engine.accumulate(batch, 1 / weightSum)).lossNatsSum / weightSum;
      optimizer.update(step, 1e-2, 1);
    }
    expect(loss).toBeLessThan(0.15);
    await engine.dispose();
  });
});
