/** What every option of LoRA has to keep, whatever it adds: the same numbers in both engines, true gradients, repeats. */
import { describe, expect, it } from 'vitest';
import type { TrainingEngineSettings } from '../../../../src/core/train/createTrainingEngine.ts';
import { linearLayers } from '../../../../src/shared/hyperparameters.ts';
import { makeTinyModel } from '../models/tinyModel.ts';
import { makeTinyBatch } from './tinyBatch.ts';
import { gradientsOf, openTinyEngine, relativeDifference, tinyContextTokens } from './tinyEngine.ts';

const batch = makeTinyBatch(3, [{ segments: [5, 7] }, { segments: [9] }], tinyContextTokens);
const draw = { step: 5, microBatch: 1 };

const untied = { tie_word_embeddings: false };
const options: readonly {
  readonly name: string;
  readonly settings: Partial<TrainingEngineSettings>;
  readonly configs?: readonly Readonly<Record<string, unknown>>[];
}[] = [
  { name: 'AdaLoRA', settings: { adaLora: true } },
  { name: 'dropout', settings: { dropout: 0.3 } },
  {
    name: 'adapters in the upper layers',
    settings: { layersToTransform: ['1-2'] },
    configs: [{ num_hidden_layers: 3 }],
  },
  { name: 'adapters in the lower layers', settings: { layersToTransform: ['0'] } },
  {
    name: 'embedding, head and norms trained whole',
    settings: { modulesToSave: ['embed_tokens', 'lm_head', 'norm'] },
    configs: [untied],
  },
  {
    name: 'a head trained whole and adapters above',
    settings: { modulesToSave: ['lm_head'], layersToTransform: ['1'] },
    configs: [untied],
  },
];

describe.each(options)(
  'LoRA with $name',
  ({ settings, configs = [{}, { ...untied, attention_bias: true, mlp_bias: true }] }) => {
    it('gives the same gradients layer by layer as in one graph', async () => {
      for (const config of configs) {
        const whole = await openTinyEngine({ ...settings, shape: 'whole' }, config);
        const layered = await openTinyEngine({ ...settings, shape: 'layered' }, config);
        const a = await gradientsOf(whole, [batch], 1, draw);
        const b = await gradientsOf(layered, [batch], 1, draw);
        expect(whole.parameters.map(({ name }) => name)).toEqual(layered.parameters.map(({ name }) => name));
        expect(b.lossNatsSum / a.lossNatsSum).toBeCloseTo(1, 5);
        expect(relativeDifference(a.gradients, b.gradients)).toBeLessThan(1e-5);
        expect((await layered.evaluate(batch)).lossNatsSum).toBeCloseTo((await whole.evaluate(batch)).lossNatsSum, 4);
        await Promise.all([whole.dispose(), layered.dispose()]);
      }
    });

    it('gives every trained tensor the gradient of central differences', async () => {
      const engine = await openTinyEngine({ ...settings, shape: 'whole' }, configs[0]);
      const { gradients } = await gradientsOf(engine, [batch], 1, draw);
      for (const [index, { name, value }] of engine.parameters.entries()) {
        const gradient = gradients[index]!;
        const norm = Math.sqrt(gradient.reduce((sum, x) => sum + x * x, 0));
        expect(norm, name).toBeGreaterThan(0);
        const original = value.slice();
        const step = 2e-3;
        const lossAt = async (distance: number): Promise<number> => {
          for (const [i, x] of original.entries()) value[i] = x + (distance * gradient[i]!) / norm;
          return (await engine.accumulate(batch, 1, draw)).lossNatsSum;
        };
        const slope = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
        value.set(original);
        expect(Math.abs(slope - norm) / norm, `${name}: slope ${slope}, norm ${norm}`).toBeLessThan(0.02);
      }
      await engine.dispose();
    });

    it.each(['whole', 'layered'] as const)('%s: repeats bit for bit', async shape => {
      const runs = [];
      for (let run = 0; run < 2; run++) {
        const engine = await openTinyEngine({ ...settings, shape, threads: 2 }, configs[0]);
        runs.push(await gradientsOf(engine, [batch, batch], 0.5, draw));
        await engine.dispose();
      }
      expect(runs[1]).toEqual(runs[0]);
    });
  },
);

describe('dropout', () => {
  it('draws other masks for other steps, micro-batches and seeds, and none in evaluation', async () => {
    const engine = await openTinyEngine({ dropout: 0.3, shape: 'whole' });
    const other = await openTinyEngine({ dropout: 0.3, shape: 'whole', seed: 8 });
    const plain = await openTinyEngine({ dropout: 0, shape: 'whole' });
    for (const [index, { value }] of other.parameters.entries()) value.set(engine.parameters[index]!.value);
    const losses = [
      await gradientsOf(engine, [batch], 1, { step: 1, microBatch: 0 }),
      await gradientsOf(engine, [batch], 1, { step: 2, microBatch: 0 }),
      await gradientsOf(engine, [batch], 1, { step: 1, microBatch: 1 }),
      await gradientsOf(other, [batch], 1, { step: 1, microBatch: 0 }),
      await gradientsOf(plain, [batch], 1),
    ].map(({ lossNatsSum }) => lossNatsSum);
    expect(new Set(losses).size).toBe(losses.length);
    expect((await engine.evaluate(batch)).lossNatsSum).toBe((await plain.evaluate(batch)).lossNatsSum);
    await Promise.all([engine.dispose(), other.dispose(), plain.dispose()]);
  });
});

describe('settings that do not fit the model', () => {
  it.each([
    [{ targetModules: ['query'] }, {}, /expected some of q_proj.*got query/],
    [{ targetModules: ['q_proj', 'query'] }, {}, /expected some of q_proj.*got query/],
    [{ targetModules: ['q_proj', 'o_proj'] }, { model_type: 'phi3' }, /expected some of qkv_proj, .*got q_proj/],
    [{ targetModules: ['o_proj', 'gate_up_proj'] }, {}, /expected some of q_proj.*got gate_up_proj/],
    [{ layersToTransform: ['1-2'] }, {}, /layersToTransform: expected layers from 0 to 1, got 1-2/],
    [{ modulesToSave: ['lm_head'] }, {}, /modulesToSave: .*as embedding and as head/],
    [{ modulesToSave: ['head_lm'] }, untied, /modulesToSave: expected some of embed_tokens, .*got head_lm/],
    [{ modulesToSave: ['q_proj'] }, untied, /modulesToSave: expected modules without an adapter, got q_proj/],
  ])('%j are refused', async (settings, config, message) => {
    await expect(openTinyEngine(settings, config)).rejects.toThrow(message);
  });
});

describe('the default targets', () => {
  it.each(['llama', 'phi3'])('are every linear layer of %s', async model_type => {
    const engine = await openTinyEngine({ targetModules: linearLayers }, { model_type });
    const { architecture, config } = makeTinyModel({ model_type });
    const { layers } = architecture.describeParameters(config);
    const linears = layers.flat().filter(({ kind }) => kind === 'linear');
    expect(engine.parameters.length).toBe(2 * linears.length);
    await engine.dispose();
  });
});

describe('LoRA+', () => {
  it('lets B learn faster than A', async () => {
    const engine = await openTinyEngine({ loraPlusRatio: 16 });
    const factors = engine.parameters.map(({ name, learningRateFactor }) => [
      name.includes('lora_B'),
      learningRateFactor,
    ]);
    expect(factors.every(([isB, factor]) => factor === (isB === true ? 16 : 1))).toBe(true);
    await engine.dispose();
  });
});
