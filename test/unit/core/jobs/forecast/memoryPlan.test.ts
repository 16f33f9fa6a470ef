import { describe, expect, it } from 'vitest';
import type { TensorSource } from '../../../../../src/core/formats/tensorSource.ts';
import { planMemory, worthwhileSpeedup } from '../../../../../src/core/jobs/forecast/memoryPlan.ts';
import { findMemoryRefusal } from '../../../../../src/core/jobs/forecast/memoryRefusal.ts';
import { proposeFit } from '../../../../../src/core/jobs/forecast/proposeFit.ts';
import type { Model } from '../../../../../src/core/models/findArchitecture.ts';
import { planIntegerForms } from '../../../../../src/core/train/planWeightForms.ts';
import { defaultHyperparameters, type Hyperparameters } from '../../../../../src/shared/hyperparameters.ts';
import { listParameters, makeTinyModel } from '../../models/tinyModel.ts';

/** Large enough for its weights to matter; nothing is ever read. */
const model = makeTinyModel({
  vocab_size: 32000,
  hidden_size: 1024,
  intermediate_size: 4096,
  num_hidden_layers: 24,
  num_attention_heads: 16,
  num_key_value_heads: 16,
  head_dim: 64,
});

function storedAs(matrixType: string, { architecture, config }: Model = model): TensorSource {
  const shapes = new Map(listParameters({ architecture, config }).map(({ name, shape }) => [name, shape]));
  const refuse = (): never => {
    throw new Error('nothing is to be read for a plan');
  };
  return {
    names: [...shapes.keys()],
    info: name => {
      const shape = shapes.get(name)!;
      return { name, shape, dtype: shape.length === 2 ? matrixType : 'F32', storedBytes: 0 };
    },
    readFloat32: refuse,
    readFloat32Rows: refuse,
    readBytes: refuse,
    close: () => undefined,
  };
}

const plan = (
  weights: TensorSource,
  gigabytes: number,
  settings: Partial<Hyperparameters> = {},
  integerSpeedup?: number,
) => {
  const memoryLimitBytes = gigabytes * 2 ** 30;
  const whole = { ...defaultHyperparameters, batchRows: 1, contextTokens: 512, memoryLimitBytes, ...settings };
  return planMemory(model, weights, whole, { integerSpeedup });
};

/** The ways to hold and run, from the fastest to the smallest, as the limit sinks. */
function listPlans(weights: TensorSource, settings: Partial<Hyperparameters> = {}): string[] {
  const plans = Array.from({ length: 80 }, (_, i) => plan(weights, 16 * 0.95 ** i, settings));
  return [...new Set(plans.map(({ baseWeights, plan: shape }) => `${baseWeights} ${shape}`))];
}

describe('planMemory', () => {
  it('computes layer by layer before it rounds weights that are stored in floats', () => {
    expect(listPlans(storedAs('BF16'))).toEqual(['float32 whole', 'float32 layered', '4bit whole', '4bit layered']);
  });

  it('leaves a GGUF file in its blocks before it computes layers twice', () => {
    expect(listPlans(storedAs('Q4_0'))).toEqual(['float32 whole', '4bit whole', '4bit layered']);
  });

  it('holds the weights as it is told', () => {
    expect(listPlans(storedAs('Q4_0'), { baseWeights: 'float32' })).toEqual(['float32 whole', 'float32 layered']);
    expect(listPlans(storedAs('BF16'), { baseWeights: '4bit' })).toEqual(['4bit whole', '4bit layered']);
  });

  it('takes 8-bit integers instead of floats where the machine multiplies them much faster', () => {
    const held = (settings: Partial<Hyperparameters>, speedup: number) =>
      plan(storedAs('BF16'), 16, settings, speedup).baseWeights;
    const fast = worthwhileSpeedup + 0.1;
    expect(held({}, fast)).toBe('8bit');
    expect(held({}, worthwhileSpeedup - 0.1)).toBe('float32');
    expect(held({ baseWeights: 'float32' }, fast)).toBe('float32');
    expect(held({ method: 'full' }, fast)).toBe('float32');
    expect(held({ device: 'webgpu' }, fast)).toBe('float32');
    expect(held({ device: 'cpu' }, fast)).toBe('8bit');
  });

  it('forecasts 8-bit weights at a quarter of their floats, but for what stays in floats', () => {
    const bytesOf = (settings: Partial<Hyperparameters>) => plan(storedAs('BF16'), 16, settings).peakMemoryBytes;
    const saved = bytesOf({ baseWeights: 'float32' }) - bytesOf({ baseWeights: '8bit' });
    const rounded = planIntegerForms(listParameters(model), 'int8');
    const elements = listParameters(model)
      .filter(({ name }) => rounded.has(name))
      .reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    expect(saved / (3 * elements)).toBeCloseTo(1, 2);
  });

  it('never rounds weights that are trained', () => {
    expect(listPlans(storedAs('Q4_0'), { method: 'full' })).toEqual(['float32 whole', 'float32 layered']);
  });

  it('forecasts blocks at a seventh of their floats, and the floats of the largest for a moment', () => {
    const bytesOf = (settings: Partial<Hyperparameters>) => plan(storedAs('Q4_0'), 0.1, settings).peakMemoryBytes;
    const saved = bytesOf({ baseWeights: 'float32' }) - bytesOf({ baseWeights: '4bit' });
    const elements = listParameters(model).reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    expect(saved / (4 * elements)).toBeGreaterThan(0.7);
    expect(saved / (4 * elements)).toBeLessThan(0.86);
  });

  it('is refused when even the smallest way does not fit', () => {
    const small = findMemoryRefusal(plan(storedAs('Q4_0'), 0.1), undefined);
    expect(small).toMatchObject([{ code: 'memory', override: 'memory' }]);
    expect(findMemoryRefusal(plan(storedAs('Q4_0'), 8), undefined)).toEqual([]);
  });
});

describe('proposeFit', () => {
  const propose = (gigabytes: number, settings: Partial<Hyperparameters> = {}, longestTokens = 2048) =>
    proposeFit({
      model,
      weights: storedAs('BF16'),
      longestTokens,
      hyperparameters: {
        ...defaultHyperparameters,
        batchRows: 8,
        contextTokens: 2048,
        memoryLimitBytes: gigabytes * 2 ** 30,
        ...settings,
      },
    });

  it('changes nothing that fits', () => {
    expect(propose(64)).toBeUndefined();
  });

  it('first takes away context that no row needs', () => {
    const { peakMemoryBytes } = plan(storedAs('BF16'), 0.1, { batchRows: 8, contextTokens: 512, baseWeights: '4bit' });
    const fit = propose((1.05 * peakMemoryBytes) / 2 ** 30, { baseWeights: '4bit' }, 500);
    expect(fit?.settings).toEqual({ contextTokens: 512 });
  });

  it('then makes batches smaller and sums as many to the same step', () => {
    const whole = plan(storedAs('BF16'), 0.1, { batchRows: 8, contextTokens: 2048 }).peakMemoryBytes;
    const fit = propose((0.9 * whole) / 2 ** 30)!;
    const { batchRows, gradientAccumulation } = fit.settings;
    expect(batchRows! * gradientAccumulation!).toBe(8);
    expect(fit.settings).not.toHaveProperty('contextTokens');
    expect(fit.peakMemoryBytes).toBeLessThanOrEqual(0.9 * whole);
  });

  it('gives up where nothing fits', () => {
    expect(propose(0.05)).toBeUndefined();
  });
});
