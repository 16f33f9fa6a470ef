import { describe, expect, it } from 'vitest';
import type { LossSpec } from '../../../../src/core/models/lossSpec.ts';
import type { PackedBatch } from '../../../../src/core/text/packedBatch.ts';
import { createTrainingEngine, type TrainingEngineSettings } from '../../../../src/core/train/createTrainingEngine.ts';
import type { TrainingEngine } from '../../../../src/core/train/trainingEngine.ts';
import { seededNumbers } from '../graph/seededNumbers.ts';
import { makeTinyModel, makeTinyWeights } from '../models/tinyModel.ts';
import { makeTinyBatch } from './tinyBatch.ts';

const contextTokens = 12;
const loss: LossSpec = { kind: 'preference', beta: 0.7, labelSmoothing: 0.1 };

async function openEngine(changes: Partial<TrainingEngineSettings>): Promise<TrainingEngine> {
  const model = makeTinyModel();
  const engine = await createTrainingEngine({
    model,
    weights: makeTinyWeights(model),
    method: 'lora',
    targetModules: ['q_proj', 'down_proj'],
    rank: 4,
    alpha: 8,
    seed: 7,
    batchRows: 2,
    contextTokens,
    threads: 1,
    loss,
    ...changes,
  });
  for (const [index, { name, value }] of engine.parameters.entries()) {
    if (name.includes('lora_B')) value.set(seededNumbers(index + 1, value.length, -0.1, 0.1));
  }
  return engine;
}

/** Two chosen answers in the first row, the rejected ones in the second. */
const batch = pairUp(makeTinyBatch(3, [{ segments: [5, 7] }, { segments: [6, 4] }], contextTokens), 0.3);

function pairUp(plain: PackedBatch, rpoAlpha: number): PackedBatch {
  const rowOf = (position: number) => Math.floor(position / contextTokens);
  const pairOfLabel = plain.targetPositions.map(position => plain.segments[position]!);
  const signs = Float32Array.from(plain.targetPositions, position => (rowOf(position) === 0 ? 1 : -1));
  const labelWeights = signs.map(sign => (sign > 0 ? rpoAlpha : 0));
  return { ...plain, labelWeights, preference: { pairOfLabel, signs, reference: Float64Array.of(-9, -12, -15, -11) } };
}

for (const method of ['lora', 'full'] as const) {
  for (const shape of ['whole', 'layered'] as const) {
    describe(`preference training, ${method}, ${shape}`, () => {
      it('has the gradient of central differences of the loss that it reports', async () => {
        const engine = await openEngine({ method, shape });
        engine.zeroGradients();
        const trained = await engine.accumulate(batch, 1);
        const evaluated = await engine.evaluate(batch);
        expect(trained.weightSum).toBe(2);
        expect(evaluated.lossNatsSum).toBeCloseTo(trained.lossNatsSum, 5);
        for (const { name, value, gradient } of engine.parameters) {
          const along = gradient.slice();
          const norm = Math.sqrt(along.reduce((sum, x) => sum + x * x, 0));
          expect(norm, name).toBeGreaterThan(0);
          const original = value.slice();
          const lossAt = async (distance: number): Promise<number> => {
            for (const [i, x] of original.entries()) value[i] = x + (distance * along[i]!) / norm;
            return (await engine.evaluate(batch)).lossNatsSum;
          };
          const slope = ((await lossAt(2e-3)) - (await lossAt(-2e-3))) / 4e-3;
          value.set(original);
          expect(Math.abs(slope - norm) / norm, `${name}: slope ${slope}, norm ${norm}`).toBeLessThan(0.02);
        }
        await engine.dispose();
      });
    });
  }

  it(`gives the same gradients in both shapes, ${method}`, async () => {
    const [whole, layered] = [
      await openEngine({ method, shape: 'whole' }),
      await openEngine({ method, shape: 'layered' }),
    ];
    for (const engine of [whole, layered]) {
      engine.zeroGradients();
      await engine.accumulate(batch, 0.5);
    }
    for (const [index, { name, gradient }] of whole.parameters.entries()) {
      const other = layered.parameters[index]!.gradient;
      const scale = Math.max(...gradient.map(Math.abs));
      expect(Math.max(...gradient.map((x, i) => Math.abs(x - other[i]!))) / scale, name).toBeLessThan(1e-4);
    }
    await Promise.all([whole.dispose(), layered.dispose()]);
  });
}

it('measures rewards against the reference, and log 2 where policy and reference agree', async () => {
  const engine = await openEngine({ shape: 'layered', loss: { ...loss, labelSmoothing: 0 } });
  const plain = { ...batch, labelWeights: batch.labelWeights.map(() => 0) };
  const { pairLogProbabilities } = await engine.evaluate(plain);
  const same = await engine.evaluate({
    ...plain,
    preference: { ...plain.preference!, reference: pairLogProbabilities! },
  });
  expect(same.lossNatsSum / same.weightSum).toBeCloseTo(Math.log(2), 12);
  expect(same.measures).toEqual({ rewardChosen: 0, rewardRejected: 0, rewardAccuracy: 0, rewardMargin: 0 });

  const reference = pairLogProbabilities!.slice();
  reference[0]! -= 3; // the first pair's chosen answer has become likelier
  const moved = await engine.evaluate({ ...plain, preference: { ...plain.preference!, reference } });
  const margin = 0.7 * 3;
  expect(moved.measures!.rewardChosen).toBeCloseTo(margin, 10);
  expect(moved.measures!.rewardMargin).toBeCloseTo(margin, 10);
  expect(moved.measures!.rewardAccuracy).toBe(1);
  expect(moved.lossNatsSum).toBeCloseTo(Math.log(2) + Math.log1p(Math.exp(-margin)), 10);
  await engine.dispose();
});
