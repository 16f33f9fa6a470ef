import { describe, expect, it } from 'vitest';
import {
  checkHyperparameter,
  defaultHyperparameters,
  hyperparameterNames,
  parseHyperparameter,
} from '../../../../src/shared/hyperparameters.ts';
import { checkText, printSetting, settingRules, wireText } from '../../../../webview/form/settingText.ts';

describe('printSetting', () => {
  it('gives a text that reads back as the value, for every hyperparameter', () => {
    for (const name of hyperparameterNames) {
      const value = defaultHyperparameters[name];
      expect(parseHyperparameter(name, wireText(name, printSetting(name, value))), name).toEqual(value);
    }
  });

  it('writes small rates and sizes as people write them', () => {
    expect(printSetting('learningRate', 2e-4)).toBe('2e-4');
    expect(printSetting('memoryLimitBytes', 8 * 1024 ** 3)).toBe('8 GiB');
  });
});

describe('wireText', () => {
  it('writes sizes out in bytes and leaves the rest alone', () => {
    expect(wireText('memoryLimitBytes', '8 GB')).toBe(String(8 * 1024 ** 3));
    expect(wireText('memoryLimitBytes', 'lots')).toBe('lots');
    expect(wireText('rank', '8')).toBe('8');
  });
});

describe('checkText', () => {
  it('says the same as the host would', () => {
    expect(checkText('rank', '0')).toBe(checkHyperparameter('rank', 0));
    expect(checkText('rank', 'lots')).toBe(checkHyperparameter('rank', 'lots'));
    expect(checkText('maxSteps', '')).toBeNull();
    expect(checkText('targetModules', '')).toMatch(/^expected at least one of q_proj/);
  });
});

describe('settingRules', () => {
  it('reads no value from a text that is refused', () => {
    expect(settingRules('rank').read('0')).toBeUndefined();
    expect(settingRules('rank').read('12')).toBe(12);
  });
});
