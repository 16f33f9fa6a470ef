import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openGguf } from '../../../../src/core/formats/gguf.ts';
import type { TensorSource } from '../../../../src/core/formats/tensorSource.ts';
import type { ParameterInfo } from '../../../../src/core/models/architecture.ts';
import { QuantizedTensors } from '../../../../src/core/models/quantizedTensors.ts';
import { AdamW } from '../../../../src/core/optim/adamW.ts';
import type { TrainingEngineSettings } from '../../../../src/core/train/createTrainingEngine.ts';
import { listMatrices } from '../../../../src/core/train/planWeightForms.ts';
import { runStep } from '../../../../src/core/train/runStep.ts';
import { makeTinyModel, makeTinyWeights } from '../models/tinyModel.ts';
import { type RandomDtype, writeRandomGguf } from './randomBlocks.ts';
import { makeTinyBatch } from './tinyBatch.ts';
import { gradientsOf, openTinyEngine, relativeDifference, tinyContextTokens } from './tinyEngine.ts';

/** Of each loss, and of the gradients beside the largest. */
const tolerance = 1e-5;
const shapes = ['whole', 'layered'] as const;
const folder = mkdtempSync(join(tmpdir(), 'tuning-fork-blocks-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** 64 is a multiple of a block, 256 of a super-block. */
const small = makeTinyModel({ intermediate_size: 96 });
const wide = makeTinyModel({
  hidden_size: 256,
  head_dim: 64,
  intermediate_size: 256,
  num_hidden_layers: 3,
  tie_word_embeddings: false,
});
/** As in files named Q4_K_M: some layers' values and down projections have more bits. */
const mixed = ({ name, kind }: ParameterInfo): RandomDtype =>
  kind === 'head' || (/layers\.1\./.test(name) && /v_proj|down_proj/.test(name)) ? 'Q6_K' : 'Q4_K';

function openRandom(model: typeof small, choose: (info: ParameterInfo) => RandomDtype): TensorSource {
  const path = join(folder, 'random.gguf');
  writeRandomGguf(path, model, choose);
  return openGguf(path).tensors;
}

const cases = [
  ...(['Q4_0', 'Q4_1', 'Q8_0'] as const).map(dtype => ({
    title: `a GGUF file in ${dtype}`,
    model: small,
    open: () => openRandom(small, () => dtype),
  })),
  { title: 'a GGUF file in Q4_K and Q6_K', model: wide, open: () => openRandom(wide, mixed) },
  {
    title: 'floats that are rounded when they are read',
    model: small,
    open: () => new QuantizedTensors(makeTinyWeights(small), listMatrices(small)),
  },
];

const batch = makeTinyBatch(3, [{ segments: [5, 7] }, { segments: [9] }], tinyContextTokens);

async function listLosses(settings: Partial<TrainingEngineSettings>, steps: number): Promise<number[]> {
  const engine = await openTinyEngine(settings);
  // Not 1e-8: gradients near zero would become steps of full size, rounding and all.
  const optimizer = new AdamW(engine.parameters, { beta1: 0.9, beta2: 0.999, epsilon: 1e-5, weightDecay: 0 });
  const losses: number[] = [];
  for (let step = 1; step <= steps; step++) {
    const learningRate = 0.003;
    const clues = { method: 'lora', learningRate, clipNorm: 1, previousGradNorm: null } as const;
    const batches = [batch];
    const { lossNats } = await runStep(engine, optimizer, { step, batches, learningRate, clipNorm: 1, clues });
    losses.push(lossNats);
  }
  await engine.dispose();
  return losses;
}

describe('baseWeights 4bit', () => {
  for (const { title, model, open } of cases) {
    for (const shape of shapes) {
      it(`gives the losses of 24 steps on the same weights in floats: ${title}, ${shape}`, async () => {
        const weights = open();
        const blocks = await listLosses({ model, weights, shape, baseWeights: '4bit' }, 24);
        const floats = await listLosses({ model, weights, shape: 'whole', baseWeights: 'float32' }, 24);
        weights.close();
        expect(floats[0]! - floats.at(-1)!).toBeGreaterThan(0.1);
        const differences = blocks.map((loss, step) => Math.abs(loss - floats[step]!));
        expect(Math.max(...differences)).toBeLessThan(tolerance);
      });
    }
  }

  it('gives the gradients of the same weights in floats, in shards and with some layers left alone', async () => {
    const weights = openRandom(wide, mixed);
    const settings = { model: { ...wide, maxTensorBytes: 16 * 1024 }, weights, targetModules: ['q_proj', 'down_proj'] };
    for (const shape of shapes) {
      const blocks = await openTinyEngine({ ...settings, shape, baseWeights: '4bit' });
      const floats = await openTinyEngine({ ...settings, shape, baseWeights: 'float32' });
      const a = await gradientsOf(blocks, [batch], 0.5);
      const b = await gradientsOf(floats, [batch], 0.5);
      expect(relativeDifference(a.gradients, b.gradients)).toBeLessThan(tolerance);
      const [evaluated, expected] = [await blocks.evaluate(batch), await floats.evaluate(batch)];
      expect(evaluated.lossNatsSum / expected.lossNatsSum).toBeCloseTo(1, 5);
      await Promise.all([blocks.dispose(), floats.dispose()]);
    }
    weights.close();
  });

  it('holds no matrix in floats', async () => {
    const weights = openRandom(small, () => 'Q4_0');
    const engine = await openTinyEngine({ model: small, weights, baseWeights: '4bit' });
    const floats = Object.entries(engine.weights!).filter(([, tensor]) => tensor.type === 'float32');
    const names = floats.map(([name]) => name).filter(name => !/lora|rope|norm/.test(name));
    expect(names).toEqual([]);
    await engine.dispose();
    weights.close();
  });
});
