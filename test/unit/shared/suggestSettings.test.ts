import { describe, expect, it } from 'vitest';
import type { ModelSize } from '../../../src/shared/datasetProtocol.ts';
import { defaultHyperparameters, hyperparametersSchema } from '../../../src/shared/hyperparameters.ts';
import { suggestForInspection } from '../../../src/shared/suggestSettings.ts';

const small: ModelSize = { hiddenSize: 128, parameterCount: 1e6, maxContextTokens: 1024 };
const large: ModelSize = { hiddenSize: 4096, parameterCount: 8e9, maxContextTokens: 131_072 };
const tokens = { total: 15_000, supervised: 5000, longestRow: 37, rowsOverContext: 0 };

function suggest(
  model: ModelSize,
  changes: { total?: number; longestRow?: number; method?: 'full'; objective?: 'dpo'; packing?: false },
) {
  const { total = 15_000, longestRow = 37, ...settings } = changes;
  const inspection = { model, usableRows: 500, tokens: { ...tokens, total, longestRow } };
  return suggestForInspection(inspection, { ...defaultHyperparameters, ...settings })!;
}

describe('suggestForInspection', () => {
  it('raises the learning rate as the model gets smaller, and takes a tenth of it for all weights', () => {
    expect(suggest(small, {}).values.learningRate).toBe(0.004);
    expect(suggest({ ...small, hiddenSize: 2000 }, {}).values.learningRate).toBe(0.0005);
    expect(suggest(large, {}).values.learningRate).toBe(0.0003);
    expect(suggest({ ...small, hiddenSize: 2000 }, { method: 'full' }).values.learningRate).toBe(0.00005);
  });

  it('takes small steps and few passes for preferences', () => {
    expect(suggest({ ...small, hiddenSize: 2000 }, { objective: 'dpo' }).values).toMatchObject({
      learningRate: 0.00005,
      epochs: 3,
    });
  });

  it('takes as many passes as give enough steps, between three and twenty', () => {
    expect(suggest(small, {}).values.epochs).toBe(15);
    expect(suggest(small, { total: 500 }).values.epochs).toBe(20);
    expect(suggest(small, { total: 500_000 }).values.epochs).toBe(3);
    expect(suggest(small, { total: 5_000_000 }).values.epochs).toBe(1);
    expect(suggest(large, {}).values.epochs).toBe(4);
    expect(suggest(large, { packing: false }).values.epochs).toBe(3);
  });

  it('holds the longest row in the context, within what the model and memory bear', () => {
    expect(suggest(small, {}).values.contextTokens).toBe(128);
    expect(suggest(small, { longestRow: 129 }).values.contextTokens).toBe(256);
    expect(suggest(small, { longestRow: 5000 }).values.contextTokens).toBe(1024);
    expect(suggest(large, { longestRow: 5000 }).values.contextTokens).toBe(2048);
    expect(suggest(large, { longestRow: 5000 }).reasons.join(' ')).toContain('5000 tokens is cut');
  });

  it('suggests only values that the schema accepts, whatever the sizes', () => {
    for (const hiddenSize of [1, 64, 1e5]) {
      for (const longestRow of [0, 1, 1e7]) {
        const { values } = suggest({ hiddenSize, parameterCount: 1, maxContextTokens: 4096 }, { longestRow, total: 0 });
        expect(hyperparametersSchema.safeParse({ ...defaultHyperparameters, ...values }).success).toBe(true);
      }
    }
  });

  it('suggests nothing without a model or rows', () => {
    expect(suggestForInspection({ model: null, tokens, usableRows: 5 }, defaultHyperparameters)).toBeNull();
    expect(suggestForInspection({ model: small, tokens: null, usableRows: 5 }, defaultHyperparameters)).toBeNull();
    expect(suggestForInspection({ model: small, tokens, usableRows: 0 }, defaultHyperparameters)).toBeNull();
  });
});
