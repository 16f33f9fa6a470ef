import { describe, expect, it } from 'vitest';
import { applySettings, describeBase, parseParameter, suggestSpace } from '../../../../src/core/search/searchSpace.ts';
import { defaultHyperparameters, hyperparametersSchema, linearLayers } from '../../../../src/shared/hyperparameters.ts';

const base = defaultHyperparameters;

describe('suggestSpace', () => {
  it('holds the values of the recipe, which are tried first', () => {
    const space = suggestSpace(base);
    expect(space.map(({ name }) => name)).toEqual([
      'learningRate',
      'rank',
      'targetModules',
      'dropout',
      'epochs',
      'batchRows',
    ]);
    expect(describeBase({ hyperparameters: base, datasets: [] }, space)).toMatchObject({
      learningRate: 2e-4,
      rank: 16,
      targetModules: 'all',
    });
  });

  it('leaves out what has no effect', () => {
    const full = suggestSpace({ ...base, method: 'full', maxSteps: 10 });
    expect(full.map(({ name }) => name)).toEqual(['learningRate', 'batchRows', 'weightDecay']);
  });
});

describe('parseParameter', () => {
  it('reads ranges, logarithmic ranges, choices and names alone', () => {
    expect(parseParameter('learningRate=1e-5..1e-3:log', base).distribution).toEqual({
      kind: 'real',
      low: 1e-5,
      high: 1e-3,
      log: true,
    });
    expect(parseParameter('weightDecay=0.0..0.25', base).distribution).toEqual({
      kind: 'real',
      low: 0,
      high: 0.25,
      log: false,
    });
    expect(parseParameter('rank=4..64', base).distribution).toEqual({ kind: 'integer', low: 4, high: 64, log: false });
    expect(parseParameter('rank=8|16', base).distribution).toEqual({ kind: 'choice', choices: ['8', '16'] });
    expect(parseParameter('rsLora', base).distribution).toEqual({ kind: 'choice', choices: ['false', 'true'] });
    expect(parseParameter('schedule', base).distribution).toMatchObject({ choices: ['cosine', 'linear', 'constant'] });
  });

  it.each([
    ['nothing', /expected a hyperparameter, got "nothing"/],
    ['rank=64..4', /low end below the high one/],
    ['rank=4.5..8', /whole numbers/],
    ['rank=a..b', /expected numbers/],
    ['schedule=cosine|bent', /expected one of cosine, linear, constant, got "bent"/],
    ['rank=8||16', /low\.\.high/],
    ['seed=1..2', /leaves what is measured as it is/],
    ['cleaning=off|scrub', /expected some of normalizeText/],
    ['cleaning=off|', /off, basic, strict or steps, got nothing/],
    ['layersToTransform', /expected a range, got none/],
  ])('refuses %s', (text, message) => {
    expect(() => parseParameter(text, base)).toThrow(message);
  });
});

describe('applySettings', () => {
  it('keeps the scale of the adapter when the rank changes, unless alpha is searched too', () => {
    expect(applySettings(base, new Map([['rank', '4']]))).toMatchObject({ rank: 4, alpha: 8 });
    expect(
      applySettings(
        base,
        new Map([
          ['rank', '4'],
          ['alpha', '64'],
        ]),
      ),
    ).toMatchObject({ rank: 4, alpha: 64 });
  });

  it('makes a valid recipe of lists and flags', () => {
    const tried = applySettings(
      base,
      new Map([
        ['targetModules', 'q_proj,v_proj'],
        ['rsLora', 'true'],
        ['epochs', '2'],
      ]),
    );
    expect(hyperparametersSchema.parse(tried)).toMatchObject({
      targetModules: ['q_proj', 'v_proj'],
      rsLora: true,
      epochs: 2,
    });
    expect(applySettings(base, new Map([['targetModules', 'all']])).targetModules).toEqual([...linearLayers]);
  });
});
