import { describe, expect, it } from 'vitest';
import {
  checkHyperparameter,
  defaultHyperparameters,
  type Hyperparameters,
  hasEffect,
  hyperparameterNames,
  hyperparametersSchema,
  hyperparameterTable,
  parseHyperparameter,
  type Setting,
} from '../../../src/shared/hyperparameters.ts';

describe('hyperparameterTable', () => {
  it.each(hyperparameterNames)('%s has a default that passes its own check and one sentence of help', name => {
    const setting: Setting = hyperparameterTable[name];
    expect(checkHyperparameter(name, defaultHyperparameters[name])).toBeUndefined();
    expect(setting.help).toMatch(/^[A-Z].*\.$/);
    expect(setting.help).toContain('default');
  });

  it('is what the schema knows, no more and no less', () => {
    expect(Object.keys(hyperparametersSchema.shape).sort()).toEqual([...hyperparameterNames].sort());
  });
});

describe('hasEffect', () => {
  it('names only settings and values that exist', () => {
    for (const name of hyperparameterNames) {
      const setting: Setting = hyperparameterTable[name];
      for (const [other, values] of Object.entries(setting.appliesWhen ?? {})) {
        expect(hyperparameterNames, name).toContain(other);
        for (const value of values) expect(checkHyperparameter(other as typeof name, value), name).toBeUndefined();
      }
    }
  });

  const without = (values: Partial<Hyperparameters>) =>
    hyperparameterNames.filter(name => !hasEffect(name, { ...defaultHyperparameters, ...values }));

  it('leaves out what only LoRA uses when every weight is trained', () => {
    expect(without({ method: 'full' })).toEqual(expect.arrayContaining(['rank', 'alpha', 'targetModules', 'rsLora']));
    expect(without({})).not.toContain('rank');
  });

  it('leaves out what belongs to another objective', () => {
    expect(without({})).toEqual(expect.arrayContaining(['dpoBeta', 'distillAlpha']));
    expect(without({ objective: 'dpo' })).toEqual(expect.arrayContaining(['trainOn', 'distillTopK']));
    expect(without({ objective: 'dpo' })).not.toContain('rpoAlpha');
    expect(without({ objective: 'distill' })).toEqual(expect.arrayContaining(['dpoBeta']));
    expect(without({ objective: 'distill' })).not.toContain('distillTemperature');
  });

  it('reads recipes of before there were objectives', () => {
    const { objective, dpoBeta, dpoLabelSmoothing, rpoAlpha, distillAlpha, distillTemperature, distillTopK, ...older } =
      defaultHyperparameters;
    const added = { objective, dpoBeta, dpoLabelSmoothing, rpoAlpha, distillAlpha, distillTemperature, distillTopK };
    expect(hyperparametersSchema.parse(older)).toMatchObject(added);
    expect(objective).toBe('sft');
  });
});

describe('parseHyperparameter', () => {
  it('reads each kind as a form field or --set writes it', () => {
    expect(parseHyperparameter('learningRate', ' 2e-4 ')).toBe(2e-4);
    expect(parseHyperparameter('rank', '8')).toBe(8);
    expect(parseHyperparameter('maxSteps', '')).toBeNull();
    expect(parseHyperparameter('packing', 'false')).toBe(false);
    expect(parseHyperparameter('targetModules', 'q_proj, v_proj')).toEqual(['q_proj', 'v_proj']);
    expect(parseHyperparameter('targetModules', 'all')).toEqual(hyperparameterTable.targetModules.default);
    expect(parseHyperparameter('layersToTransform', '0, 8-29')).toEqual(['0', '8-29']);
    expect(parseHyperparameter('layersToTransform', 'all')).toEqual([]);
    expect(parseHyperparameter('modulesToSave', '')).toEqual([]);
    expect(parseHyperparameter('samplePrompts', 'Hello\n\nWho are you?\n')).toEqual(['Hello', 'Who are you?']);
  });

  it('leaves what it cannot read to the check', () => {
    for (const [name, text] of [
      ['rank', 'many'],
      ['rank', ''],
      ['packing', 'maybe'],
      ['maxSteps', 'x'],
      ['layersToTransform', '3-'],
      ['modulesToSave', 'lm head'],
    ] as const) {
      expect(checkHyperparameter(name, parseHyperparameter(name, text)), `${name}=${text}`).toBeDefined();
    }
  });
});

describe('checkHyperparameter', () => {
  it('says the range and what it got', () => {
    expect(checkHyperparameter('rank', 0)).toBe('expected a whole number from 1 to 512, got 0');
    expect(checkHyperparameter('rank', 2.5)).toContain('got 2.5');
    expect(checkHyperparameter('learningRate', Number.NaN)).toBeDefined();
    expect(checkHyperparameter('schedule', 'sine')).toBe('expected one of cosine, linear, constant, got "sine"');
    expect(checkHyperparameter('targetModules', [])).toContain('at least one of q_proj');
  });
});
