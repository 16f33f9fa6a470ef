import { describe, expect, it } from 'vitest';
import {
  buildRequest,
  emptyForm,
  findProblems,
  withDataset,
  withMapping,
  withModel,
  withName,
  withOverride,
  withRecipe,
  withText,
} from '../../../../src/host/form/formModel.ts';
import { hyperparametersSchema } from '../../../../src/shared/hyperparameters.ts';
import { runRequestSchema } from '../../../../src/shared/recipe.ts';
import { makeRecord, makeRequest } from '../runFixture.ts';

const empty = emptyForm({ model: 'tiny', memoryLimitBytes: 4e9 });
const ready = withDataset(empty, '/data/Support tickets.jsonl');

describe('form model', () => {
  it('cannot start without a dataset and says so', () => {
    expect(findProblems(empty)).toEqual([{ name: 'dataset', message: 'expected a dataset, got none' }]);
    expect(buildRequest(empty)).toBeUndefined();
  });

  it('asks for a run of what is in it', () => {
    const request = buildRequest(ready);
    expect(runRequestSchema.parse(request)).toEqual(request);
    expect(request).toMatchObject({
      name: 'Support tickets',
      model: 'tiny',
      hyperparameters: { memoryLimitBytes: 4e9 },
    });
  });

  it('takes over a good value and its text', () => {
    const form = withText(ready, 'learningRate', ' 1e-3 ');
    expect(form.values.learningRate).toBe(1e-3);
    expect(findProblems(form)).toEqual([]);
  });

  it('keeps the last good value beside what is wrong with the typed one', () => {
    const form = withText(withText(ready, 'rank', '8'), 'rank', '8.5');
    expect(form.values.rank).toBe(8);
    expect(findProblems(form)).toEqual([{ name: 'rank', message: 'expected a whole number from 1 to 512, got 8.5' }]);
    expect(buildRequest(form)).toBeUndefined();
    expect(findProblems(withText(form, 'rank', '4'))).toEqual([]);
  });

  it('turns an emptied optional number into nothing', () => {
    expect(withText(withText(ready, 'maxSteps', '50'), 'maxSteps', '').values.maxSteps).toBeNull();
  });

  it('keeps its values valid whatever is typed', () => {
    for (const text of ['', 'x', '-1', '1e99', 'NaN', '{}', 'true', 'q_proj,zzz']) {
      for (const name of Object.keys(ready.values) as (keyof typeof ready.values)[]) {
        expect(hyperparametersSchema.safeParse(withText(ready, name, text).values).success).toBe(true);
      }
    }
  });

  it('forgets a forecast that no longer fits', () => {
    const forecast = { forecast: null, canStart: true, findings: [], error: null };
    const form = { ...ready, forecast };
    expect(withText(form, 'rank', '8').forecast).toBeNull();
    expect(withText(form, 'rank', '16').forecast).toBe(forecast);
    expect(withText(form, 'rank', 'x').forecast).toBe(forecast);
    expect(withModel(form, 'other').forecast).toBeNull();
  });

  it('names the run after the dataset until the user names it', () => {
    expect(withDataset(ready, '/data/other.csv').runName).toBe('other');
    expect(withDataset(withName(ready, 'mine'), '/data/other.csv').runName).toBe('mine');
    expect(findProblems(withName(ready, ' ')).map(p => p.name)).toEqual(['runName']);
  });

  it('keeps the mapping and overrides of a dataset, not of another one', () => {
    const mapping = { kind: 'text', fields: { text: 'body' } } as const;
    const form = withOverride(withMapping(ready, mapping), 'mask', true);
    expect(withDataset(form, form.datasetPath!)).toMatchObject({ mapping, overrides: ['mask'] });
    expect(withDataset(form, '/data/other.csv')).toMatchObject({ mapping: null, overrides: [] });
  });

  it('knows only the overrides of the recipe', () => {
    expect(withOverride(ready, 'everything', true).overrides).toEqual([]);
    expect(withOverride(withOverride(ready, 'memory', true), 'memory', false).overrides).toEqual([]);
  });

  it('refuses shares that leave nothing to train on', () => {
    const form = withText(withText(ready, 'evalRatio', '0.5'), 'testRatio', '0.5');
    expect(findProblems(form).map(p => p.name)).toEqual(['testRatio']);
  });

  it('makes a run again from its record, with the mapping detected anew when nobody chose it', () => {
    const record = makeRecord('20261124-093000-capitals-1f3a');
    const again = withRecipe(ready, record, 'capitals');
    expect(buildRequest(again)).toMatchObject({ name: 'capitals', model: 'tiny', datasets: [{ mapping: null }] });
    const chosen = { ...record, datasets: [{ ...record.datasets[0]!, mappingChosen: true }] };
    expect(withRecipe(ready, chosen, 'capitals').mapping).toEqual(record.datasets[0]!.mapping);
  });

  it('makes a run again from a request that came to nothing', () => {
    const request = makeRequest({ overrides: ['memory'] });
    expect(buildRequest(withRecipe(ready, request, request.name))).toEqual(request);
  });
});
