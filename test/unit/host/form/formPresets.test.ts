import { describe, expect, it } from 'vitest';
import { emptyForm, findProblems, withPreset, withText } from '../../../../src/host/form/formModel.ts';
import { summarizePython } from '../../../../src/host/python/summarizePython.ts';

const fresh = emptyForm({ model: 'tiny', memoryLimitBytes: null, trackers: [] });

describe('withPreset', () => {
  it('sets every setting, the model where it names one, and forgets what was typed wrongly', () => {
    const form = withPreset(withText(withText(fresh, 'rank', 'x'), 'packing', 'false'), 'llama2-lora');
    expect(form).toMatchObject({ model: 'meta-llama/Llama-2-7b-hf', typedProblems: {} });
    expect(form.values).toMatchObject({ rank: 16, dropout: 0.1, targetModules: ['q_proj', 'v_proj'], packing: true });
    expect(form.chosen).toEqual(expect.arrayContaining(['learningRate', 'epochs', 'contextTokens', 'dropout']));
    expect(withPreset(form, 'qlora').model).toBe(form.model);
  });

  it('does nothing for a name that is no preset', () => {
    expect(withPreset(fresh, 'nothing')).toBe(fresh);
  });
});

describe('findProblems', () => {
  it('marks what the chosen engine cannot do', () => {
    const form = withText(withText(fresh, 'device', 'webgpu'), 'engine', 'pytorch');
    expect(findProblems(form).map(({ name }) => name)).toContain('device');
    expect(findProblems(withText(form, 'engine', 'auto')).map(({ name }) => name)).not.toContain('device');
  });
});

describe('summarizePython', () => {
  const report = {
    source: 'own' as const,
    interpreter: '/py',
    version: '3.12.7',
    packages: { torch: '2.13.0' },
    accelerators: [],
    problems: [],
  };
  it('offers PyTorch only where a card would use it and it is not ready', () => {
    const wish = { hasCard: true, reason: 'An NVIDIA card was found.' };
    expect(summarizePython(null, wish)).toMatchObject({ state: 'missing', offer: expect.stringContaining('NVIDIA') });
    expect(summarizePython(null, { hasCard: false, reason: '' }).offer).toBe('');
    expect(summarizePython(report, wish)).toEqual({
      state: 'ready',
      text: 'Python 3.12.7, torch 2.13.0, CPU',
      offer: '',
    });
    const broken = { ...report, problems: [{ message: 'peft is missing', fix: 'Run: pip.' }] };
    expect(summarizePython(broken, wish)).toMatchObject({ state: 'broken', text: 'peft is missing. Run: pip.' });
  });
});
