import { describe, expect, it } from 'vitest';
import { findEngineProblems } from '../../../src/shared/engineCapabilities.ts';
import { engines } from '../../../src/shared/engineChoice.ts';
import { defaultHyperparameters, hyperparametersSchema } from '../../../src/shared/hyperparameters.ts';
import { applyPreset, findPreset, presets } from '../../../src/shared/presets.ts';

const presetOf = (id: string) => presets.find(preset => preset.id === id)!;

describe('presets', () => {
  it.each(presets)('$id has values that pass the schema, and a sentence of help', preset => {
    const values = applyPreset(preset, defaultHyperparameters);
    expect(hyperparametersSchema.parse(values)).toEqual(values);
    expect(preset.help).toMatch(/^[A-Z].*\.$/);
    expect(engines.some(engine => findEngineProblems(engine, values).length === 0)).toBe(true);
  });

  it('holds the well-known recipe for Llama 2', () => {
    expect(presetOf('llama2-lora')).toMatchObject({
      model: 'meta-llama/Llama-2-7b-hf',
      values: { method: 'lora', rank: 16, alpha: 32, targetModules: ['q_proj', 'v_proj'], dropout: 0.1, epochs: 3 },
    });
    expect(presetOf('llama2-full').values).toMatchObject({ method: 'full', learningRate: 2e-5, epochs: 3 });
  });
});

describe('applyPreset', () => {
  it('leaves where a run computes, and resets the rest', () => {
    const before = { ...defaultHyperparameters, engine: 'embedded' as const, threads: 3, rank: 99, packing: false };
    const values = applyPreset(presetOf('qlora'), before);
    expect(values).toMatchObject({ engine: 'embedded', threads: 3, rank: 16, packing: true, baseWeights: '4bit' });
  });
});

describe('findPreset', () => {
  it('knows a preset by its values, and by its model where it names one', () => {
    const values = applyPreset(presetOf('llama2-lora'), { ...defaultHyperparameters, engine: 'pytorch' });
    expect(findPreset(values, 'meta-llama/Llama-2-7b-hf')?.id).toBe('llama2-lora');
    expect(findPreset(values, 'tiny')).toBeUndefined();
    expect(findPreset({ ...values, rank: 3 }, 'meta-llama/Llama-2-7b-hf')).toBeUndefined();
    expect(findPreset(defaultHyperparameters, 'tiny')).toBeUndefined();
  });
});

describe('findEngineProblems', () => {
  it('names what the PyTorch engine cannot do, and nothing that has no effect', () => {
    const names = (values: Partial<typeof defaultHyperparameters>) =>
      findEngineProblems('pytorch', { ...defaultHyperparameters, ...values }).map(({ name }) => name);
    expect(names({})).toEqual([]);
    expect(names({ device: 'webgpu' })).toEqual(['device']);
    expect(findEngineProblems('embedded', { ...defaultHyperparameters, objective: 'distill' })).toEqual([]);
  });
});
